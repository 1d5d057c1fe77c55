// Signs in program text of what it does, whatever language it is in.

import { ENVIRONMENT } from './code-words.ts';
import { graver } from './effects.ts';
import type { Effect } from './types.ts';

type Marker = readonly [readonly RegExp[], Effect, string];
/** All patterns of a row must occur. Each is linear: no repetition inside a repetition, no look-ahead over the rest. */
const MARKERS: readonly Marker[] = [
  [[/\b(?:rmtree|rmSync|rimraf|remove_tree|rm_rf|rm_r|deltree|removedirs|rmdirSync)\b/], 'delete_many', 'delete'],
  [[/\b(?:unlink|unlinkSync|os\.remove|File\.delete|fs\.rm|os\.rmdir)\b/], 'delete', 'delete'],
  [
    [
      /\b(?:socket|pty|Socket|TCPSocket|fsockopen|IO::Socket)\b/,
      /\b(?:dup2|spawn|exec|connect|system|call|run)\b/,
      /\/bin\/(?:ba|z|da)?sh\b|cmd\.exe|['"](?:ba|z)?sh(?:['"]|\s{1,4}(?:-i|[<>]&))/,
    ],
    'remote_shell',
    'connect',
  ],
  // A shell, or whatever line comes in, over a connection that is answered.
  [
    [
      /\b(?:TCPSocket\.(?:new|open)|fsockopen|pfsockopen|create_connection|IO::Socket::INET)\b|\brequire\s{0,4}\(?\s{0,4}['"](?:node:)?(?:net|tls|socket)['"]|\/inet\/tcp\//,
      /\b(?:spawn|popen|Popen|execSync|exec|system|shell_exec|check_output|getoutput)\s{0,4}\(?\s{0,4}(?:[A-Za-z_$][\w$.]{0,40}\s{0,4}[,)]|['"](?:\/bin\/)?(?:ba|z|da)?sh\b)|\|\s{0,4}getline\b/,
      /[.:](?:send|sendall|write|print|puts|pipe)\b|\|&|<&\d|>&\d|\bfwrite\b/,
    ],
    'remote_shell',
    'connect',
  ],
  [[/\bfork\b/, /\bwhile\b|\bloop\b|for\s*\(\s*;/], 'flood', 'fork'],
  [
    [
      /\b(?:urlopen|urlretrieve|requests\.get|httpx|aiohttp|http\.get|https\.get|fetch|axios|LWP|HTTP::Tiny|Net::HTTP|open-uri|URI\.open|file_get_contents|curl_exec|http\.client)\b|\brequire\(\s{0,4}['"](?:node:)?(?:https?|axios|got|undici|node-fetch)['"]/,
      /\b(?:exec|eval|execfile|compile|Function|runpy)\s*\(|\bnew Function\b|[(,]\s{0,4}(?:exec|eval|execfile|Function)\s{0,4}[,)]|\bvm\.run\w{2,30}\s{0,4}\(|\binstance_eval\b|\b(?:eval|instance_eval)\s{1,4}(?:URI|Net|HTTP|LWP|open|get|fetch|curl)\b/,
    ],
    'download_execute',
    'run',
  ],
  [
    [/\b(?:requests\.(?:post|put|patch|delete)|smtplib|sendmail|http\.request|axios\.(?:post|put|patch|delete))\b/],
    'send',
    'send',
  ],
  [[/\bmethod\b\s*[:=]\s*['"](?:POST|PUT|PATCH|DELETE)/i], 'send', 'send'],
  [[/\b(?:urlopen|urlretrieve|requests\.get|http\.get|https\.get|axios|Net::HTTP|fetch)\b/], 'fetch', 'fetch'],
  [[/\b(?:os\.kill|process\.kill|killpg)\b/], 'process_own', 'kill'],
];

/** The gravest of the markers, and its verb. */
export function marked(text: string): { effect: Effect | undefined; operation: string } {
  let effect: Effect | undefined;
  let operation = 'run';
  for (const [patterns, becomes, verb] of MARKERS) {
    if (!patterns.every((pattern) => pattern.test(text))) continue;
    if (effect === undefined || graver(effect, becomes) !== effect) operation = verb;
    effect = effect === undefined ? becomes : graver(effect, becomes);
  }
  return { effect, operation };
}

/** Calls that reach another machine, and not this one. */
const LEAVES =
  /\b(?:fetch|urlopen|requests\.\w{1,20}|httpx\.\w{1,20}|axios(?:\.\w{1,20})?|https?\.(?:request|get|post)|Net::HTTP\.\w{1,20}|file_get_contents)\s{0,4}\(\s{0,40}\S{0,40}?https?:\/\/(?!localhost|127\.|\[::1\])/i;

/** Every variable of a process at once, and a way out. */
export function sendsAll(text: string): boolean {
  return ENVIRONMENT.test(text) && LEAVES.test(text);
}
