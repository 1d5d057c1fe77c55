// Finds many words in one pass (Aho and Corasick), ASCII letters without regard to case. Made once, then only read.

export type KeywordHit = (word: number, start: number) => void;

export class Keywords {
  /**
   * Edges: `state + class` gives the next state, both counted in steps of the number of classes. Class 0 is whatever
   * stands in no word and leads nowhere, so its slot says where the words that end in the state are listed, 0 for none.
   */
  readonly #next: Int32Array;
  readonly #classes: Uint8Array;
  readonly #ends: readonly (readonly number[])[];
  readonly #lengths: readonly number[];

  /** Words are ASCII. */
  constructor(words: readonly string[]) {
    const lower = words.map((word) => word.toLowerCase());
    const letters = [...new Set(lower.join(''))].sort();
    this.#classes = new Uint8Array(128);
    letters.forEach((letter, index) => {
      if (letter > '\u007f') throw new RangeError('keywords are ASCII');
      this.#classes[letter.charCodeAt(0)] = index + 1;
      this.#classes[letter.toUpperCase().charCodeAt(0)] = index + 1;
    });
    const width = letters.length + 1;
    const next = new Int32Array((lower.join('').length + 1) * width);
    const ends: number[][] = [[]];
    lower.forEach((word, index) => {
      let state = 0;
      for (const letter of word) {
        const slot = state + (this.#classes[letter.charCodeAt(0)] as number);
        if (next[slot] === 0) next[slot] = (ends.push([]) - 1) * width;
        state = next[slot] as number;
      }
      ends[state / width]?.push(index);
    });
    complete(next, ends, width);
    this.#next = next;
    this.#ends = ends;
    this.#lengths = lower.map((word) => word.length);
  }

  /** Tells every place where a word stands; words that end earlier come first. */
  scan(text: string, hit: KeywordHit): void {
    const next = this.#next;
    const classes = this.#classes;
    let state = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      const letter = code < 128 ? (classes[code] as number) : 0;
      state = letter === 0 ? 0 : (next[state + letter] as number);
      if (next[state] !== 0) this.#tell(next[state] as number, at + 1, hit);
    }
  }

  #tell(list: number, end: number, hit: KeywordHit): void {
    for (const word of this.#ends[list] as readonly number[]) hit(word, end - (this.#lengths[word] as number));
  }

  /** Whether any word stands in the text. */
  some(text: string): boolean {
    let found = false;
    this.scan(text, () => {
      found = true;
    });
    return found;
  }
}

/** Every state gets an edge for every class, so that a text is read once, without going back. */
function complete(next: Int32Array, ends: number[][], width: number): void {
  const fail = new Int32Array(ends.length);
  const queue: number[] = [];
  for (let letter = 1; letter < width; letter += 1) if (next[letter] !== 0) queue.push(next[letter] as number);
  for (let head = 0; head < queue.length; head += 1) {
    const state = queue[head] as number;
    const behind = fail[state / width] as number;
    const list = ends[state / width] as number[];
    list.push(...(ends[behind / width] as number[]));
    if (list.length > 0) next[state] = state / width;
    for (let letter = 1; letter < width; letter += 1) {
      const own = next[state + letter] as number;
      const other = next[behind + letter] as number;
      if (own === 0) next[state + letter] = other;
      else {
        fail[own / width] = other;
        queue.push(own);
      }
    }
  }
}
