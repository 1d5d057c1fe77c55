// Hundreds of bodies that must not be: each is refused with a 4xx that says why, nothing crashes, nothing is written.

import { request } from 'node:http';
import { expect, test } from 'vitest';
import { call, execute } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

inBothModes((beacond) => {
  const good = { agent_id: 'bad-input', tenant_id: 'local', code: 'ls' };
  const WRONG = [
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    '',
    ' ',
    '\u0000',
    'a b',
    '../x',
    'x'.repeat(70_000),
    [],
    [[]],
    {},
    { a: 1 },
  ];
  const STRINGS = [
    'agent_id',
    'tenant_id',
    'session_id',
    'opportunity_id',
    'surface',
    'idempotency_key',
    'language',
    'code',
  ];

  /** A string is only wrong where the field takes no such string. */
  function wrongFor(field: string): unknown[] {
    const free = ['code', 'language'].includes(field);
    return WRONG.filter((value) => !(free && typeof value === 'string' && value.trim() !== '' && value.length < 70_000))
      .filter(
        (value) => !(typeof value === 'string' && value === '' && !['agent_id', 'tenant_id', 'code'].includes(field)),
      )
      .filter((value) => !(field === 'code' && value === ' '))
      .filter((value) => !(field === 'idempotency_key' && value === '../x'));
  }

  function bodies(): [name: string, body: Buffer][] {
    const found: [string, Buffer][] = [];
    const add = (name: string, body: string | Buffer) => found.push([name, Buffer.from(body)]);
    for (const field of STRINGS) {
      for (const value of wrongFor(field))
        add(`${field} ${JSON.stringify(value)?.slice(0, 30)}`, JSON.stringify({ ...good, [field]: value }));
    }
    for (const value of [
      null,
      1,
      'x',
      {},
      [1],
      [null],
      [{}],
      [{ name: 1, arguments: {} }],
      [{ name: 'a', arguments: 'x' }],
      [{ name: '' }],
      [{ arguments: {} }],
    ]) {
      add(`tools ${JSON.stringify(value)}`, JSON.stringify({ ...good, tools: value }));
    }
    for (const value of [
      1,
      'x',
      [],
      { cwd: 1 },
      { git: 'x' },
      { git: { tracked: 'x' } },
      { git: { dirty: 'yes' } },
      { attended: 'no' },
      { workspace: [] },
    ]) {
      add(`context ${JSON.stringify(value)}`, JSON.stringify({ ...good, context: value }));
    }
    for (const control of ['\u0000', '\u0001', '\n', '\r', '\t']) {
      add(`raw control ${control.charCodeAt(0)}`, `{"agent_id":"a","tenant_id":"local","code":"ls ${control}"}`);
    }
    add('nothing to judge', JSON.stringify({ agent_id: 'a', tenant_id: 'local' }));
    add('unknown field', JSON.stringify({ ...good, decision: 'ALLOW' }));
    for (const text of [
      '',
      '{',
      '[]',
      '"x"',
      'null',
      '1',
      'true',
      '{"a":}',
      "{'a':1}",
      '{"a":1,}',
      'NaN',
      '\ufeff{}',
      '{} {}',
      '\u0000',
    ])
      add(`text ${text}`, text);
    const base = JSON.stringify(good).slice(0, -1);
    add('duplicate key', `${base},"code":"pwd"}`);
    add('duplicate key, escaped', `${base},"\\u0063ode":"pwd"}`);
    add('duplicate key, nested', `${base},"context":{"a":1,"a":2}}`);
    add('__proto__', `${base},"context":{"__proto__":{"attended":true}}}`);
    for (const half of ['\\ud800', '\\udc00', '\\ud800x', '\\udc00\\ud800']) {
      add(`lone surrogate ${half}`, `{"agent_id":"a","tenant_id":"local","code":"ls ${half}"}`);
      add(`lone surrogate in a key ${half}`, `${base},"context":{"${half}":1}}`);
    }
    for (const number of [
      '9007199254740993',
      '-9007199254740993',
      '1e400',
      '123456789012345678901234567890',
      '01',
      '+1',
      '.5',
      '1.',
      '0x10',
    ]) {
      add(`number ${number}`, `${base},"context":{"n":${number}}}`);
    }
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x28, 0xa1]]) {
      add(
        `invalid UTF-8 ${bytes}`,
        Buffer.concat([Buffer.from(`${base},"context":{"t":"`), Buffer.from(bytes), Buffer.from('"}}')]),
      );
    }
    for (const depth of [65, 100, 1_000, 10_000]) {
      add(`arrays ${depth} deep`, `${base},"context":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`);
      add(`objects ${depth} deep`, `${base},"proposed_plan":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`);
    }
    for (const size of [1_100_000, 5_000_000])
      add(`${size} bytes`, `{"agent_id":"a","tenant_id":"local","code":"${'x'.repeat(size)}"}`);
    for (const at of [1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50]) add(`cut at ${at}`, JSON.stringify(good).slice(0, at));
    return found;
  }

  const SENT_WHOLE = 1_000_000;

  function post(
    path: string,
    body: Buffer,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; type: string; text: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(
        `${beacond.http}${path}`,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...headers },
        },
        (answer) => {
          let text = '';
          answer.on('data', (chunk) => {
            text += chunk;
          });
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, type: String(answer.headers['content-type']), text }),
          );
        },
      );
      sent.on('error', reject);
      // A body over the limit is refused by its announced length; sending it all would race with the connection's end.
      if (body.length > SENT_WHOLE) sent.write(body.subarray(0, SENT_WHOLE));
      else sent.end(body);
    });
  }

  const ledgerSize = async () => {
    const logs = (await call(beacond, 'GET', '/api/logs')).body as unknown as { size: number }[];
    return logs.map(({ size }) => size);
  };

  test('at least two hundred bad bodies: a 4xx each, and the ledger has not grown', async () => {
    const before = await ledgerSize();
    const all = bodies();
    expect(all.length).toBeGreaterThanOrEqual(200);
    const wrong: string[] = [];
    for (const [name, body] of all) {
      const { status, type, text } = await post('/api/execute', body);
      const problem = type.startsWith('application/problem+json') ? JSON.parse(text) : undefined;
      const fine = status >= 400 && status < 500 && problem?.status === status && typeof problem.code === 'string';
      if (!fine) wrong.push(`${name}: ${status} ${text.slice(0, 120)}`);
    }
    expect(wrong).toEqual([]);
    expect(await ledgerSize()).toEqual(before);
    expect((await execute(beacond)).body.decision).toBe('ALLOW');
  });

  test('the field is named where there is one', async () => {
    const fieldOf = async (change: object) =>
      JSON.parse((await post('/api/execute', Buffer.from(JSON.stringify({ ...good, ...change })))).text).field;
    expect(await fieldOf({ agent_id: 'a b' })).toBe('agent_id');
    expect(await fieldOf({ tools: [{ name: 'ok', arguments: {} }, { name: 7 }] })).toBe('tools.1.name');
    expect(await fieldOf({ context: { git: { dirty: 'yes' } } })).toBe('context.git.dirty');
    expect(await fieldOf({ idempotency_key: 'a b' })).toBe('idempotency_key');
  });

  test('a body that is not called JSON is refused', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
    ]) {
      expect((await post('/api/execute', Buffer.from(JSON.stringify(good)), { 'content-type': type })).status).toBe(
        415,
      );
    }
  });
});
