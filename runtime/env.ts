// Typed reading of environment variables. Faults are collected, so that a start names all of them at once; a name with
// our prefix that nobody asked for is a fault too, since a misspelt limit would otherwise silently not hold.

import { Secret } from './log.ts';

type Knob = {
  /** One sentence for the person who sets it. */
  readonly doc: string;
};
type Bounds = { readonly min: number; readonly max: number };

/** What was asked for: name, default as text, doc. The source of `--help` and of the docs. */
export type KnobDoc = { readonly name: string; readonly fallback: string; readonly doc: string };
export type Address = { readonly host: string; readonly port: number };

/** `host:port`, an IPv6 address in brackets. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export class EnvReader {
  readonly faults: string[] = [];
  readonly knobs: KnobDoc[] = [];
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #prefix: string;

  constructor(env: Readonly<Record<string, string | undefined>>, prefix: string) {
    this.#env = env;
    this.#prefix = prefix;
  }

  text(name: string, fallback: string, knob: Knob): string {
    return this.#raw(name, fallback, knob) ?? fallback;
  }

  secret(name: string, knob: Knob): Secret | undefined {
    const value = this.#raw(name, '', knob);
    return value === undefined ? undefined : new Secret(value);
  }

  integer(name: string, fallback: number, knob: Knob & Bounds): number {
    const value = this.#raw(name, String(fallback), knob);
    if (value === undefined) return fallback;
    const number = /^(0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : Number.NaN;
    if (number >= knob.min && number <= knob.max) return number;
    return this.#fault(name, `must be a whole number from ${knob.min} to ${knob.max}`, fallback);
  }

  flag(name: string, fallback: boolean, knob: Knob): boolean {
    const value = this.#raw(name, String(fallback), knob);
    if (value === undefined) return fallback;
    if (value === 'true' || value === '1') return true;
    if (value === 'false' || value === '0') return false;
    return this.#fault(name, 'must be true or false', fallback);
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback: T, knob: Knob): T {
    const value = this.#raw(name, fallback, knob);
    if (value === undefined) return fallback;
    const found = choices.find((choice) => choice === value);
    return found ?? this.#fault(name, `must be one of ${choices.join(', ')}`, fallback);
  }

  /** Comma-separated; each entry must match. */
  list(name: string, entry: RegExp, knob: Knob): readonly string[] {
    const value = this.#raw(name, '', knob);
    if (value === undefined) return [];
    const entries = value.split(',').map((part) => part.trim());
    if (entries.every((part) => entry.test(part))) return entries;
    return this.#fault(name, 'must be a comma-separated list', []);
  }

  /** `host:port` with an IP address or name; `[::1]:0` for IPv6. */
  address(name: string, fallback: string, knob: Knob): Address {
    const value = this.#raw(name, fallback, knob) ?? fallback;
    const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})$/.exec(value);
    const port = Number(match?.[2] ?? Number.NaN);
    if (match !== null && port <= 65_535) return { host: (match[1] as string).replace(/^\[|\]$/g, ''), port };
    return this.#fault(name, 'must be host:port', { host: '127.0.0.1', port: 0 });
  }

  /** To be called when everything was asked for: names nobody knows become faults. */
  refuseUnknown(tolerated: readonly string[] = []): void {
    const known = new Set([...this.knobs.map((knob) => knob.name), ...tolerated]);
    for (const name of Object.keys(this.#env).sort()) {
      if (name.startsWith(this.#prefix) && !known.has(name)) this.faults.push(`${name}: unknown name`);
    }
  }

  fault(name: string, words: string): void {
    this.faults.push(`${name}: ${words}`);
  }

  #raw(name: string, fallback: string, knob: Knob): string | undefined {
    this.knobs.push({ name, fallback, doc: knob.doc });
    const value = this.#env[name];
    if (value === undefined) return undefined;
    if (value.trim() !== '') return value.trim();
    return this.#fault(name, 'is set but empty', undefined);
  }

  /** Values are not repeated: one pasted under the wrong name may be a secret. */
  #fault<T>(name: string, words: string, fallback: T): T {
    this.fault(name, words);
    return fallback;
  }
}
