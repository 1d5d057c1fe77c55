// How the tests run: once, on two cores, with limits that a loaded machine still meets.

import { defineConfig } from 'vitest/config';
import { toolEnv } from './bin/test-tools.mjs';

const ours = ['**/*.test.{ts,mjs}'];
const slow = ['test/stories/**', 'test/clients/**', 'test/faults/**'];
const never = ['**/node_modules/**', 'dist/**'];

export default defineConfig({
  test: {
    watch: false,
    pool: 'forks',
    maxWorkers: 2,
    env: toolEnv(),
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ours, exclude: [...never, ...slow], testTimeout: 20_000, hookTimeout: 20_000 },
      },
      {
        // Real processes, real disks: one file at a time, so that no test is slow because of its neighbour.
        extends: true,
        test: {
          name: 'stories',
          include: slow.map((folder) => folder.replace('**', '**/*.test.ts')),
          exclude: never,
          fileParallelism: false,
          // Nine processes on two cores: what a loaded machine broke is run once more, and told of at the end.
          retry: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
