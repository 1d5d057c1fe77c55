// What a person sees when Beacon has started: where it is, where the admin token is, and something to paste.

import { styleText } from 'node:util';

export type Addresses = {
  readonly http: string;
  readonly grpc: string;
  readonly data_dir: string;
  readonly admin_token_file: string;
};

export function greet(
  { http, grpc, data_dir, admin_token_file }: Addresses,
  isolation: 'same_user' | 'own_user',
  out: NodeJS.WriteStream = process.stderr,
): void {
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    styleText(format, text, { stream: out, validateStream: true });
  const row = (name: string, value: string) => `  ${style('dim', name.padEnd(12))}${value}\n`;
  const trusting = http.startsWith('https:') ? '--cacert AUTHORITY.pem ' : '';
  const curl = `curl -s ${trusting}${http}/api/execute -H 'content-type: application/json' \\
    -d '{"agent_id":"demo","tenant_id":"local","code":"ls -la"}'`;
  const warning = `  ${style('yellow', 'Agents that run as this user could read Beacon’s keys:')} this set-up is at most delegated_runtime_control.\n\n`;
  out.write(
    `\n${style(['bold', 'green'], 'Beacon is ready.')}\n${row('HTTP', http)}${row('gRPC', grpc)}${row('data', data_dir)}${row('admin token', admin_token_file)}\n` +
      `  ${style('dim', 'Propose something harmless, then change ls to rm -rf /:')}\n\n  ${style('cyan', curl)}\n\n${isolation === 'same_user' ? warning : ''}`,
  );
}
