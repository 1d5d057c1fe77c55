// How many bytes of unfinished requests are held in all, whatever number of connections they come by. They are counted as
// they arrive, for what was announced costs nothing yet. Beyond the bound the greatest body of the greatest share is
// ended, whoever asked for more: so no share is locked out by another, and none of its small bodies by its large ones.

/** Of all bodies under way at one process's doors together: as many as 64 of the largest that HTTP takes. */
export const MAX_BODY_BYTES_UNDER_WAY = 67_108_864;
/** What holding a piece costs beside its bytes, measured and rounded up: a body that comes byte by byte is mostly this. */
const PIECE_BYTES = 512;
/**
 * Whose bodies they are before anybody is known. All of them together, for by addresses a stranger could have any number of
 * shares and leave too little for each of the others. No tenant is named with a space.
 */
export const SHARE_OF_STRANGERS = 'not known yet';
export const BODY_RETRY_AFTER_MS = 1_000;
export const BODY_REFUSAL = 'too many bytes of unfinished requests are held';

export type BodyUnderWay = {
  /** So many more bytes of it are held. It, or others, may be ended before this returns. */
  add(bytes: number): void;
  /** What was held of it is not held any more; more may come. */
  clear(): void;
  /** It is whole, or given up. Asked again, nothing happens. */
  end(): void;
};

type Share = { bytes: number; readonly bodies: Set<Body> };
type Body = { bytes: number; readonly refuse: () => void };

export class BodiesUnderWay {
  readonly #most: number;
  readonly #refused: () => void;
  readonly #shares = new Map<string, Share>();
  #bytes = 0;

  constructor({ most = MAX_BODY_BYTES_UNDER_WAY, refused = () => {} }: { most?: number; refused?: () => void } = {}) {
    this.#most = most;
    this.#refused = refused;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `refuse` is called at most once, when the body has been ended here: what is held of it is to be let go of. */
  begin(share: string, refuse: () => void): BodyUnderWay {
    const body: Body = { bytes: 0, refuse };
    const own = this.#shares.get(share) ?? { bytes: 0, bodies: new Set() };
    this.#shares.set(share, own);
    own.bodies.add(body);
    return {
      add: (bytes) => {
        if (!own.bodies.has(body)) return;
        this.#hold(own, body, body.bytes + bytes + PIECE_BYTES);
        while (this.#bytes > this.#most) this.#endGreatest();
      },
      clear: () => {
        if (own.bodies.has(body)) this.#hold(own, body, 0);
      },
      end: () => this.#end(share, own, body),
    };
  }

  #hold(share: Share, body: Body, bytes: number): void {
    share.bytes += bytes - body.bytes;
    this.#bytes += bytes - body.bytes;
    body.bytes = bytes;
  }

  #end(name: string, share: Share, body: Body): void {
    if (!share.bodies.has(body)) return;
    this.#hold(share, body, 0);
    share.bodies.delete(body);
    if (share.bodies.size === 0) this.#shares.delete(name);
  }

  /** Each search costs the sender of what it ends a connection or a call, so none needs to be cheaper than those. */
  #endGreatest(): void {
    const [name, share] = greatest(this.#shares, ([, { bytes }]) => bytes);
    // Of equal ones the first: it has had the most time.
    const body = greatest(share.bodies, ({ bytes }) => bytes);
    this.#end(name, share, body);
    this.#refused();
    body.refuse();
  }
}

/** The first of those that are as great as any. */
function greatest<T>(all: Iterable<T>, sizeOf: (one: T) => number): T {
  let found: T | undefined;
  for (const one of all) if (found === undefined || sizeOf(one) > sizeOf(found)) found = one;
  return found as T;
}
