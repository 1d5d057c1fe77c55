// Canaries in every free-text field: afterwards they are in clear nowhere. Every folder is read byte by
// byte, those of Redis and NATS too.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { call, execute } from '../beacond.ts';
import { inBothModes } from '../modes.ts';
import { OtlpCollector } from '../otlp-collector.ts';

const TRACE_ID = '7a'.repeat(16);
const collector = await OtlpCollector.start();
afterAll(() => collector.stop());

inBothModes((beacond) => {
  const planted = new Map<string, string>();
  const answers: string[] = [];

  /** Looks like a real credential of a known kind, different for every field. */
  function canary(field: string): string {
    const tail = Buffer.from(`${field}-canary-padding-padding-padding`).toString('hex').slice(0, 36);
    const text = `ghp_${tail.padEnd(36, '7')}`;
    planted.set(field, text);
    return text;
  }

  const keep = async (answer: Promise<{ body: unknown; status: number }>) => {
    const { body, status } = await answer;
    answers.push(JSON.stringify(body));
    return { body: body as Record<string, unknown>, status };
  };

  test('canaries are planted in every free-text field that a caller has', async () => {
    await keep(
      execute(beacond, {
        code: `curl -H "Authorization: Bearer ${canary('code')}" https://example.com/?t=${canary('url')}`,
        proposed_plan: { note: canary('proposed_plan') },
        idempotency_key: `key-${canary('idempotency_key')}`,
        context: { cwd: '/w', note: canary('context'), git: { branch: canary('branch') } },
      }),
    );
    await keep(
      execute(beacond, {
        code: `echo ${canary('echo')} > /w/${canary('file')}.txt; git commit -m ${canary('commit')}`,
      }),
    );
    await keep(
      execute(beacond, { code: undefined, tools: [{ name: 'lookup', arguments: { q: canary('tool.arguments') } }] }),
    );
    await keep(execute(beacond, { code: undefined, tools: [{ name: canary('tool.name'), arguments: {} }] }));
    await keep(
      execute(beacond, {
        code: undefined,
        tools: [{ name: `mcp__${canary('mcp.server')}__${canary('mcp.tool')}`, arguments: {} }],
      }),
    );
    await keep(execute(beacond, { language: 'python', code: `print("${canary('python')}")` }));
    await keep(execute(beacond, { opportunity_id: canary('opportunity_id') }));
    await keep(execute(beacond, { session_id: canary('session_id') }));
    await keep(execute(beacond, { agent_id: canary('agent_id') }));
    await keep(execute(beacond, { surface: canary('surface') }));
    const guard = (action: unknown) =>
      keep(call(beacond, 'POST', '/api/guard', { agent_id: 'a', tenant_id: 'local', surface: 'api', action }));
    await guard({
      kind: 'http',
      method: 'POST',
      url: `https://u:${canary('http.userinfo')}@example.com/`,
      headers: { 'x-key': canary('http.header') },
      body: canary('http.body'),
    });
    await guard({ kind: 'patch', patch: `--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+${canary('patch')}\n`, cwd: '/w' });
    await guard({ kind: 'prompt', text: `my token is ${canary('prompt')}` });
    await guard({ kind: 'output', text: `token ${canary('output')}`, tool: 'Bash' });
    await guard({
      kind: 'browser',
      action: 'fill',
      url: `https://example.com/#${canary('browser.url')}`,
      text: canary('browser.text'),
    });
    await guard({
      kind: 'workflow',
      system: 'ci',
      step: canary('workflow.step'),
      arguments: { a: canary('workflow.arguments') },
    });
    await guard({
      kind: 'kubernetes',
      verb: 'create',
      object: { kind: 'Secret', metadata: { name: canary('k8s.name') }, stringData: { p: canary('k8s.data') } },
    });
    const opened = await keep(execute(beacond, {}));
    const path = `/api/actions/${opened.body.action_id}`;
    await keep(call(beacond, 'POST', `${path}/assumptions`, { statement: `believed ${canary('assumption')}` }));
    await keep(call(beacond, 'POST', `${path}/outcome`, { status: 'succeeded', details: { log: canary('outcome') } }));
    const asked = await keep(execute(beacond, { code: `rm -rf src-${canary('approval.target')}` }));
    await keep(
      call(
        beacond,
        'POST',
        `/api/actions/${asked.body.action_id}/approval`,
        { approve: true, reason: canary('approval.reason') },
        beacond.adminToken,
      ),
    );
    await keep(call(beacond, 'GET', '/api/approvals', undefined, beacond.adminToken));
    await keep(
      call(
        beacond,
        'POST',
        '/api/revocations',
        { scope: 'agent:n', operation: 'revoke', reason: canary('revocation.reason') },
        beacond.adminToken,
      ),
    );
    await keep(call(beacond, 'GET', '/api/revocations', undefined, beacond.adminToken));
    await keep(call(beacond, 'POST', '/api/execute', `{"agent_id": "${canary('broken body')}`));
    await keep(call(beacond, 'GET', `/api/actions/${canary('path')}?note=${canary('query')}`));
    await keep(headed({ tracestate: `vendor=${canary('tracestate')}`, baggage: `note=${canary('baggage')}` }));
    await keep(headed({ 'x-note': canary('header'), 'user-agent': canary('user-agent') }));
    expect(answers.length).toBeGreaterThan(20);
  });

  test('none of them is in an answer, a metric, a log line, a trace, or any byte of a data folder', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const places = new Map<string, Buffer>([
      ['answers', Buffer.from(answers.join('\n'))],
      ['metrics', Buffer.from(await beacond.metrics())],
      ['stderr', Buffer.from(beacond.stderr())],
    ]);
    const exemplars = await fetch(`${beacond.http}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
    places.set('exemplars', Buffer.from(await exemplars.text()));
    await beacond.end();
    places.set('traces', Buffer.from(collector.bodies.join('\n')));
    expect(collector.ofTrace(TRACE_ID).length).toBeGreaterThan(5);
    expect(collector.spans.length).toBeGreaterThan(100);
    for (const path of beacond.folders.flatMap(filesBelow)) places.set(path, readFileSync(path));
    const found: string[] = [];
    for (const [place, bytes] of places) {
      for (const [field, text] of planted) {
        for (const form of [
          text,
          Buffer.from(text).toString('base64').slice(4, 40),
          Buffer.from(text).toString('hex'),
        ]) {
          if (bytes.includes(form)) found.push(`${field} in ${place}`);
        }
      }
      for (const text of decodedPayloads(bytes)) {
        for (const [field, secret] of planted)
          if (text.includes(secret)) found.push(`${field} in a payload of ${place}`);
      }
    }
    expect(found).toEqual([]);
  });

  /** A decision under a trace of the caller's, with headers of its own. */
  async function headed(headers: Readonly<Record<string, string>>) {
    const response = await fetch(`${beacond.http}/api/execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${TRACE_ID}-${'a'.repeat(16)}-01`, ...headers },
      body: JSON.stringify({ agent_id: 'headed', tenant_id: 'local', code: 'ls' }),
    });
    return { status: response.status, body: await response.json() };
  }

  /** DSSE payloads are base64: what they say is looked at too. */
  function decodedPayloads(bytes: Buffer): string[] {
    const matches = bytes.toString('latin1').matchAll(/"payload":"([A-Za-z0-9+/=]+)"/g);
    return [...matches].map((match) => Buffer.from(match[1] as string, 'base64').toString('utf8'));
  }

  function filesBelow(folder: string): string[] {
    return readdirSync(folder, { recursive: true })
      .map((name) => join(folder, name as string))
      .filter((path) => statSync(path).isFile());
  }
}, collector.env);
