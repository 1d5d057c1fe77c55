import { describe, expect, test } from 'vitest';
import { admit, admitShell, CONTEXT, tool } from './admit.fixture.ts';
import { MAX_PLACES, sizeOf } from './extent.ts';

const lines = (count: number, text = 'x') => `${text}\n`.repeat(count);
const codex = (...files: string[]) => `*** Begin Patch\n${files.join('')}*** End Patch`;

test.each([
  ['', 0, 0],
  ['a', 1, 1],
  ['a\n', 1, 2],
  ['a\nb', 2, 3],
  ['é\n', 1, 3],
])('size of %j', (text, count, bytes) => {
  expect(sizeOf([text])).toEqual({ lines: count, bytes });
});

describe('how much is changed', () => {
  test('a patch counts what it adds and takes away, not what stands around', () => {
    const text = codex(
      '*** Add File: a.ts\n',
      lines(3, '+x'),
      '*** Update File: b.ts\n@@\n around\n-old\n+new\n+new\n',
    );
    expect(admit('patch', { patch: text }).change).toMatchObject({ files: 2, lines: 6 });
    const unified = '--- a/b.ts\n+++ b/b.ts\n@@ -1,3 +1,3 @@\n around\n-old\n+new\n around\n';
    expect(admit('patch', { patch: unified }).change).toMatchObject({ files: 1, lines: 2 });
  });

  test('a written file, whatever tool writes it', () => {
    const content = lines(700);
    const same = { files: 1, lines: 700, bytes: 1_400 };
    expect(tool('Write', { file_path: 'a.ts', content }).change).toMatchObject(same);
    expect(admitShell(`cat > a.ts <<'E'\n${content}E`).change).toMatchObject(same);
    expect(admitShell(`tee a.ts <<'E'\n${content}E`).change).toMatchObject(same);
    expect(
      admit('mcp', { server: 'fs', tool: 'write_file', argumentsJson: JSON.stringify({ path: 'a.ts', content }) })
        .change,
    ).toMatchObject(same);
  });

  test('an edit counts both what goes and what comes, in lists too', () => {
    const edit = { old_string: lines(2), new_string: lines(3) };
    expect(tool('Edit', { file_path: 'a.ts', ...edit }).change).toMatchObject({ files: 1, lines: 5 });
    expect(tool('MultiEdit', { file_path: 'a.ts', edits: [edit, edit] }).change).toMatchObject({ files: 1, lines: 10 });
  });

  test('several files of one command are several', () => {
    expect(admitShell('touch a b c; rm d').change).toMatchObject({ files: 4 });
  });

  test('the same write twice is one; two writes are two', () => {
    const write = `cat > a.ts <<'E'\n${lines(10)}E\n`;
    expect(admitShell(write + write).change).toMatchObject({ files: 1, lines: 10 });
    expect(admitShell(`${write}cat > a.ts <<'E'\n${lines(5, 'y')}E\n`).change).toMatchObject({ files: 1, lines: 15 });
  });

  test.each([
    ['reads', 'cat a b c'],
    ['build output', `cat > dist/a.js <<'E'\n${lines(9)}E`],
    ['temporary files', `cat > /tmp/a <<'E'\n${lines(9)}E`],
    ['nothing at all', `cat > /dev/null <<'E'\n${lines(9)}E`],
    ['text that is only shown', `cat <<'E'\n${lines(9)}E`],
  ])('%s are no change', (_what, command) => {
    expect(admitShell(command).change).toMatchObject({ files: 0, lines: 0, bytes: 0 });
  });

  test('a commit takes in what the caller says is staged, another command does not', () => {
    const context = { ...CONTEXT, git: { ...CONTEXT.git, staged: { files: 80, lines: 9_000 } } };
    expect(admitShell('git commit -m x', context).change).toMatchObject({ files: 80, lines: 9_000, bytes: 0 });
    expect(admitShell('git status', context).change).toMatchObject({ files: 0, lines: 0 });
  });
});

describe('where', () => {
  const { workspace } = CONTEXT;

  test('each file with every folder above it, relative to the workspace, and by its name', () => {
    const { places, trees, complete } = admitShell(`echo x > ${workspace}/src/../infra/prod/a.tf`).change;
    expect([...places].sort()).toEqual(['**/*.tf', '**/a.tf', 'infra', 'infra/prod', 'infra/prod/a.tf']);
    expect({ trees, complete }).toEqual({ trees: [], complete: true });
  });

  test('a place outside is absolute', () => {
    expect(admitShell('echo x > /srv/data/a').change.places).toEqual(['/srv/data/a', '/srv/data', '/srv', '**/a']);
  });

  test.each([
    ['rm -rf infra', ['infra']],
    ['mv infra old', ['infra', 'old']],
    ['rm infra/*', ['infra']],
    ['chmod -R 700 infra', ['infra']],
    ['rm -rf .', ['.']],
    ['rm -rf infra/*/state', ['infra']],
  ])('%s changes a folder with what it holds', (command, trees) => {
    expect([...admitShell(command).change.trees].sort()).toEqual(trees);
  });

  test('a path deeper than anybody nests is told by the folder it is in', () => {
    const { places, trees } = admitShell(`echo x > ${'d/'.repeat(100)}a`).change;
    expect(places.length).toBeLessThan(32);
    expect(trees).toHaveLength(1);
  });

  test('more places than fit are said to be more', () => {
    const many = Array.from(
      { length: 60 },
      (_, file) => `*** Delete File: ${'f/'.repeat(20)}${file}/${file}/x${file}\n`,
    );
    const wide = Array.from({ length: 200 }, (_, file) => `*** Add File: ${file}/a/b/c/d/e/f${file}\n+x\n`);
    expect(admit('patch', { patch: codex(...many) }).change.complete).toBe(true);
    const { places, complete } = admit('patch', { patch: codex(...wide) }).change;
    expect(places.length).toBeLessThanOrEqual(MAX_PLACES);
    expect(complete).toBe(false);
    expect(admitShell(`touch ${Array.from({ length: 90 }, (_, n) => `f${n}`).join(' ')}`).change).toMatchObject({
      files: 90,
      complete: false,
    });
  });

  test('a secret in a name is replaced there, too', () => {
    expect(JSON.stringify(admitShell('echo x > a/CANARYabcd/b').change)).not.toContain('CANARYabcd');
  });
});

test.each([[{ files: -1 }], [{ lines: 1.5 }], [{ bytes: '9' }], [[]]])('staged %j is refused', async (staged) => {
  const { readContext } = await import('./context.ts');
  expect(() => readContext({ git: { staged } })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});
