// What every detector keeps: offsets inside the text, in order, without overlap, bounded in number and in time, never a throw.

import { expect, test } from 'vitest';
import type { Detector } from './port.ts';

const MAX_DETECTIONS = 1_000;

/** `samples` hold at least one detection each. */
export function detectorContract(name: string, make: () => Detector, samples: readonly string[]): void {
  const detector = make();
  const texts = [
    '',
    ' ',
    '\u0000',
    '\ud800',
    ...samples,
    samples.join('\n'),
    samples.map((sample) => sample.repeat(20)).join(' '),
  ];

  test(`${name}: detections lie inside the text, in order, without overlap`, () => {
    for (const text of texts) {
      let at = 0;
      for (const { start, end } of detector.detect(text)) {
        expect(start).toBeGreaterThanOrEqual(at);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(text.length);
        at = end;
      }
    }
  });

  test(`${name}: every sample is found`, () => {
    for (const sample of samples) expect(detector.detect(sample), sample).not.toHaveLength(0);
  });

  test(`${name}: at most ${MAX_DETECTIONS} detections, the same each time`, () => {
    const text = samples.join('\n').repeat(3_000).slice(0, 2_000_000);
    expect(detector.detect(text).length).toBeLessThanOrEqual(MAX_DETECTIONS);
    for (const sample of samples) expect(detector.detect(sample)).toEqual(detector.detect(sample));
  });

  test(`${name}: 64 KiB of anything ends, and soon enough for a test`, { timeout: 20_000 }, () => {
    for (const piece of [
      'a',
      '1',
      ' ',
      '-',
      '://',
      'eyJ',
      'eyJa.',
      'token=',
      'password: "',
      '@a.',
      'a@',
      'sk-',
      '4111 ',
      'GB82 ',
      '-----BEGIN ',
      ':AA',
      '123-45-',
      'AKIA',
      '"\'',
      'a@a.a.a.',
      '0-',
      'A1 ',
      'secret ',
      'xoxb-',
    ]) {
      const found = detector.detect(piece.repeat(Math.ceil(65_536 / piece.length)));
      expect(found.length, piece).toBeLessThanOrEqual(MAX_DETECTIONS);
    }
  });
}
