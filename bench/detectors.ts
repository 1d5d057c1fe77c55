// `npm run bench -- detectors`: what looking through one text costs, in processor time of this process alone, so that a
// busy machine changes it little. Printed, never asserted.

import { injectionDetector } from '../ports/detectors/injection.ts';
import { piiDetector } from '../ports/detectors/pii.ts';
import { secretsDetector } from '../ports/detectors/secrets.ts';

const KIB = 1_024;
const ROUNDS = 7;
const TEXTS: { readonly [name: string]: string } = {
  prose: 'The quick brown fox builds packages; see docs/readme.md for the user guide. Total of 42 files.\n',
  code: 'export function read(text: string): Address | undefined {\n  return PATTERN.exec(text) ?? undefined; // a token or key\n}\n',
  log: '2026-11-21T10:00:00Z INFO pod web-7f9c6d5b4d took 123 ms and 4567 bytes from 10.0.12.34:8080 id=12345678\n',
};

export type DetectorCost = {
  readonly detector: string;
  readonly text: string;
  readonly kib: number;
  readonly usPerKib: number;
};

export function detectorCosts(): DetectorCost[] {
  const detectors = [secretsDetector(), piiDetector(), injectionDetector()];
  return [1, 64].flatMap((kib) =>
    Object.entries(TEXTS).flatMap(([name, piece]) => {
      const text = piece.repeat(Math.ceil((kib * KIB) / piece.length)).slice(0, kib * KIB);
      return detectors.map((detector) => ({
        detector: detector.name,
        text: name,
        kib,
        usPerKib: cost(() => detector.detect(text, 'output'), kib === 1 ? 2_000 : 40) / kib,
      }));
    }),
  );
}

/** Microseconds of one call: the least of some rounds, since whatever else runs only adds. */
function cost(call: () => unknown, times: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (let index = 0; index < times; index += 1) call();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / times);
  }
  return least;
}

export function runDetectors({ json }: { readonly json: boolean }): void {
  const costs = detectorCosts();
  if (json) console.log(JSON.stringify(costs, null, 2));
  else
    for (const { detector, text, kib, usPerKib } of costs)
      console.log(
        `${detector.padEnd(10)} ${text.padEnd(6)} ${String(kib).padStart(3)} KiB  ${usPerKib.toFixed(1).padStart(7)} µs/KiB`,
      );
}
