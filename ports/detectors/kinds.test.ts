// What a detector may find is in the list: by what is written in its source, and by what it finds in every labelled text.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allDetectors } from './all.ts';
import { FINDING_KINDS } from './kinds.ts';

test('every kind that stands in a detector’s source', () => {
  const sources = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  const named = sources.flatMap((name) => {
    const text = readFileSync(join(import.meta.dirname, name), 'utf8');
    return [...text.matchAll(/(?:add\(found, |add\(|finding\()'([a-z0-9_]+)', /g)].map((match) => match[1] as string);
  });
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((kind) => !FINDING_KINDS.has(kind))).toEqual([]);
});

test('every kind that is found in the labelled set, wherever its texts stand', () => {
  const folder = join(import.meta.dirname, '..', '..', 'bench', 'eval', 'set');
  const found = new Set<string>();
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.jsonl'))) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      for (const detector of allDetectors())
        for (const place of ['action', 'prompt', 'output', 'description'] as const)
          for (const { kind } of detector.detect(line.replace(/\\n/g, '\n').replace(/\\"/g, '"'), place))
            found.add(kind);
    }
  }
  expect(found.size).toBeGreaterThan(20);
  expect([...found].filter((kind) => !FINDING_KINDS.has(kind))).toEqual([]);
});
