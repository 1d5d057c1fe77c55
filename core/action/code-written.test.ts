import { expect, test } from 'vitest';
import { admit, effects } from './admit.fixture.ts';
import { writtenPlaces } from './code-written.ts';

const of = (text: string, language = 'python') => effects(admit('code', { language, text, cwd: '' }));
const places = (text: string, language = 'python') =>
  writtenPlaces(language, text)?.places.map(({ path, glob }) => (glob ? `${path} *` : path));

test.each([
  ['p = "a.py"\ns = open(p).read()\ni = s.index("x")\nopen(p, "w").write(s[:i] + "y" + s[i:])', ['a.py']],
  ['from pathlib import Path\nfor p in Path("src").rglob("*.ts"):\n  p.write_text(p.read_text())', ['src/**/*.ts *']],
  ['import glob\nfor p in sorted(glob.glob("a/*.md")):\n  open(p, mode="w").write(f"{p}")', ['a/*.md *']],
  [
    'import os\nfor r, d, fs in os.walk("src"):\n  for f in fs:\n    p = os.path.join(r, f)\n    open(p, "w").write("x")',
    ['src/**/* *'],
  ],
  ['for f in ["a.md", "b.md"]:\n  with open(f, "w") as h:\n    h.write("x")', ['a.md', 'b.md']],
  ['def put(p, t):\n  open(p, "w").write(t)\nput("a.md", "x")\nput("b.md", "y")', ['a.md', 'b.md']],
  ['df.to_csv("out/a.csv", index=False)', ['out/a.csv']],
])('the places of a text are told: %s', (text, expected) => expect(places(text)).toEqual(expected));

test.each([
  ['const f = "a.js"; fs.writeFileSync(f, fs.readFileSync(f, "utf8").replace("a", "b"))', ['a.js']],
  ['for (const f of fs.readdirSync("l")) { fs.writeFileSync("l/" + f, "x"); }', ['l/* *']],
])('and in JavaScript: %s', (text, expected) => expect(places(text, 'node')).toEqual(expected));

test.each([
  ['p = input()\nopen(p, "w").write("x")'],
  ['p = "a.py"\np = q\nopen(p, "w").write("x")'],
  ['for n in ["a", "../../etc/x"]:\n  p = Path("src") / n\n  p.write_text("x")'],
  ['def put(p):\n  open(p, "w").write("x")\nput("a.md")\nlist(map(put, names))'],
  ['for p in open("list.txt"):\n  open(p, "w").write("x")'],
  ['p = Path("a") / "/etc/passwd"\np.write_text("x")'],
  ['s = "open(\'a\', \'w\')"\nopen("b", "w").write(s)'],
  ['for p in Path(".").rglob("*"):\n  t = p.read_text()\n  p.write_text(t[:0])'],
  ['for p in Path("/home/ada").rglob("*"):\n  t = p.read_text()\n  p.write_text(t[:0])'],
])('and not when one of them may be elsewhere: %s', (text) => expect(places(text)).toBeUndefined());

test('an edit of what lies in the workspace needs nobody, what begins many files anew does', () => {
  const edit =
    'import glob\nfor p in glob.glob("src/*.ts"):\n  t = open(p).read()\n  open(p, "w").write(t.replace("a", "b"))';
  expect(of(edit)).toEqual(['write']);
  const flags = (text: string) =>
    admit('code', { language: 'python', text, cwd: '' }).action.parts.flatMap((part) => [...part.flags]);
  expect(flags(edit)).not.toContain('truncate');
  expect(flags('import glob\nfor p in glob.glob("src/*.ts"):\n  open(p, "w").write("")')).toContain('truncate');
  expect(flags('p = "a.py"\nt = open(p).read()\nopen(p, "w").write("")')).toContain('truncate');
  expect(flags('open("important.db", mode="w")')).toContain('truncate');
});

test('a loop elsewhere is judged by where it goes', () => {
  expect(
    of('import glob\nfor p in glob.glob("/etc/*"):\n  t = open(p).read()\n  open(p, "w").write(t.replace("a", "b"))'),
  ).toContain('self_governance');
});

test.each([
  ['python', 'from app.models import Order\nprint(Order(items=[]).total)'],
  ['python', 'from app.db import Session, User\ns = Session()\nprint(s.query(User).count())'],
  ['python', 'import torch.nn as nn\nm = nn.Linear(4, 2)\nprint(m(1).shape)'],
  ['python', 'import sys\nsys.path.insert(0, "src")\nfrom app.parser import parse\nprint(parse("a"))'],
  ['python', 'from app import create_app\nprint(create_app().url_map)'],
  ['python', 'from shop.models import Product\nprint(Product.objects.filter(price__gt=10).count())'],
  ['node', '(async () => { console.log(await 1); })()'],
  ['node', 'import("./dist/index.mjs").then((m) => console.log(Object.keys(m)))'],
  ['node', 'function f(x) { return lib.g(x); }\nconst lib = require("a-lib");\nconsole.log(f(1))'],
])('objects of known classes and modules of the project are an unknown program: %s %s', (language, text) => {
  expect(of(text, language)).toContain('run_unknown');
  expect(of(text, language)).not.toContain('run_opaque');
});

test.each([
  ['python', 'from app.db import db\ndb.query("DROP TABLE users")'],
  ['python', 'from app.models import User\nUser.objects.all().delete()'],
  ['python', 'from cloud import create_user\ncreate_user("a")'],
  ['python', 'from shop import a\nprint(a.__class__.__init__.__globals__)'],
  ['python', 'import timeit\ntimeit.timeit("x()")'],
  ['python', 'import os\nx = []\nx = os\nx.remove("a.py")'],
  ['node', 'const fs = require("fs"); const { writeFileSync: w } = fs; w("/etc/hosts", "x")'],
  ['node', 'import(name).then((m) => m.default())'],
  ['node', 'const F = (function () {}).constructor; F("return 1")()'],
  ['node', 'const f = () => {}; make(() => {})(); (() => {})'],
  ['node', 'let re = /x/; re = require("child_process"); re.exec(c)'],
])('and what acts by them is not: %s %s', (language, text) => expect(of(text, language)).toContain('run_opaque'));

test.each([
  ['const re = /^(\\d+)$/;\nconsole.log(re.exec("1"), re.test("x"))'],
  ['class A { constructor(x) { this.x = x; } get y() { return this.x * 2; } }\nconsole.log(new A(2).y)'],
  ['console.log(require("crypto").createHash("md5").update("x").digest("hex"))'],
  ['function twice(x) { return x * 2; }\nconsole.log(twice(2))'],
])('JavaScript that only computes: %s', (text) => expect(of(text, 'node')).toEqual(['none']));

test.each([
  ['julia', 'println(sum(1:10))'],
  ['lua', 'for i=1,3 do print(i*i) end'],
  ['octave', 'A = eye(3); disp(det(A))'],
  ['Rscript', 'x <- c(1,2); cat(sum(x), "\\n")'],
])('%s that only computes: %s', (language, text) => expect(of(text, language)).toEqual(['none']));

test.each([
  ['julia', 'println(rm("a.txt"))'],
  ['lua', 'os.execute"rm -rf src"'],
  ['lua', 'local print=load; print("x")'],
  ['octave', 'delete a.txt'],
  ['Rscript', 'c <- system; c("ls")'],
  ['Rscript', 'cat("x", file="a.R")'],
])('%s that does more: %s', (language, text) => expect(of(text, language)).not.toEqual(['none']));
