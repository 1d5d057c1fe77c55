import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { main } from './beacond.ts';
import { TARGETS } from './separate-config.ts';

let out = '';
beforeEach(() => {
  out = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      out += String(text);
      return true;
    });
  }
  for (const name of Object.keys(process.env)) if (/^(BEACON|OTEL)_/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test.each(['all', ...TARGETS, 'sidecar'])('%s --help lists its knobs', async (target) => {
  expect(await main([target, '--help'])).toBe(0);
  expect(out).toContain('BEACON_HTTP_LISTEN (127.0.0.1:7500)');
});

test.each([...TARGETS, 'sidecar'])('%s --check names what is missing, in the words of all --check', async (target) => {
  expect(await main([target, '--check'])).toBe(1);
  expect(out).toMatch(/^BEACON_\w+: is needed/m);
  expect(out).not.toContain('does not start');
});

test('--check says so when nothing is wrong', async () => {
  expect(await main(['all', '--check'])).toBe(0);
  vi.stubEnv('BEACON_REDIS_URL', 'redis://127.0.0.1:1');
  vi.stubEnv('BEACON_NATS_SERVERS', '127.0.0.1:1');
  vi.stubEnv('BEACON_SERVICE_TOKENS', '/nowhere');
  expect(await main(['receipt-signer', '--check'])).toBe(0);
  expect(out).toBe('The configuration is fine.\n'.repeat(2));
});

test('an option nobody knows is refused', async () => {
  expect(await main(['all', '--chekc'])).toBe(2);
  expect(await main(['gateway', '--chekc'])).toBe(2);
});
