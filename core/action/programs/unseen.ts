// What is fetched or written and then run in one and the same line: a folder that was cloned or unpacked, a build file that
// was written. Nobody saw the first; the second is read as what it says.

import type { Invocation, Walk } from '../../shell/frame.ts';
import { literal, type Origin } from '../../shell/values.ts';
import { readCode } from '../code.ts';
import type { Draft } from '../draft.ts';
import { gravity } from '../effects.ts';
import { recipes, scriptsOf } from '../later-lines.ts';
import { resolvePath, under, type Where } from '../paths.ts';
import { placeOf } from '../places.ts';
import { broughtBy } from './brought.ts';
import type { Meaning } from './call.ts';

/** Build files looked into per command. */
const MAX_WRITTEN = 16;
/** Where the folder a tool is started in came from, when this line brought it here. */
export function broughtTo({ state }: Invocation, where: Where): readonly Origin[] | undefined {
  return state.cwd === undefined ? undefined : broughtBy(state, resolvePath(state.cwd, undefined, where.home));
}

/** Files by which a build says what it runs, and the tools that read them. */
const READ_BY: readonly (readonly [RegExp, RegExp])[] = [
  [/^(?:[Mm]akefile|GNUmakefile|.*\.mk)$/, /^(?:[gb]?make|cmake|configure)$/],
  [/^package\.json$/, /^(?:npm|pnpm|yarn|bun|cnpm|turbo|nx|lerna)$/],
  [
    /^(?:[Jj]ustfile|Taskfile\.ya?ml|[Rr]akefile|magefile\.go|tasks\.py|noxfile\.py|dodo\.py)$/,
    /^(?:just|task|rake|mage|inv|invoke|nox|doit)$/,
  ],
  [
    /^(?:conftest|setup|sitecustomize|usercustomize|test_\w+|\w+_test)\.py$|^(?:pyproject\.toml|tox\.ini|pytest\.ini)$/,
    /^(?:pytest|py\.test|python|pip|tox|nox|uv|poetry|hatch|coverage)$/,
  ],
  [
    /^[\w.-]+\.config\.[cm]?[jt]s$|^(?:gulpfile|Gruntfile)\.[cm]?js$|^\.\w+rc\.[cm]?js$|\.(?:test|spec)\.[cm]?[jt]sx?$/,
    /^(?:jest|vitest|vite|webpack|rollup|eslint|prettier|babel|next|nuxt|mocha|karma|gulp|grunt|tailwindcss|postcss|tsup|playwright|cypress)$/,
  ],
  [
    /^(?:build\.gradle(?:\.kts)?|settings\.gradle(?:\.kts)?|pom\.xml|build\.rs|main\.go|\w+_test\.go|CMakeLists\.txt|meson\.build)$/,
    /^(?:gradlew?|mvnw?|cargo|go|cmake|meson|ninja)$/,
  ],
];

/** Reads the build files this line wrote before a tool that obeys them starts; what it fetched is code nobody saw. */
export function readWritten(tool: string, invocation: Invocation, walk: Walk, meaning: Meaning): void {
  const { state, frame } = invocation;
  if (state.files.size === 0) return;
  let looked = 0;
  for (const [id, written] of [...state.files]) {
    if (!id.startsWith('file:') || looked >= MAX_WRITTEN) continue;
    const path = id.slice(5);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!READ_BY.some(([file, by]) => by.test(tool) && file.test(name)) || !above(path, invocation, meaning)) continue;
    looked += 1;
    if (written.text === undefined) {
      if (written.origins.length > 0) walk.judge.opaque('build file', id, written.origins, frame);
    } else readBuildFile(name, written.text, invocation, walk, meaning);
  }
}

/** It lies in the folder of the build, or above or below it. */
function above(path: string, { state }: Invocation, meaning: Meaning): boolean {
  if (state.cwd === undefined) return true;
  const folder = resolvePath(state.cwd, undefined, meaning.where.home);
  const own = path.slice(0, path.lastIndexOf('/')) || '/';
  return under(own, folder) || under(folder, own);
}

export function readBuildFile(name: string, text: string, invocation: Invocation, walk: Walk, meaning: Meaning): void {
  const { state, frame } = invocation;
  if (/akefile$|\.mk$/.test(name) && !/^[Rr]ake/.test(name)) {
    walk.text(recipes(text), state, { ...frame, stdin: { origins: [] } });
  } else if (name === 'package.json') {
    for (const line of scriptsOf(text)) walk.text(line, state, { ...frame, stdin: { origins: [] } });
  } else {
    const language = /\.py$/.test(name) ? 'python' : /\.[cm]?[jt]sx?$/.test(name) ? 'node' : undefined;
    if (language === undefined) return;
    // Code of a test or a setting is seen here as anywhere; only what is grave in it is told apart from a build.
    const grave: Meaning = { ...meaning, add: (draft) => isGrave(draft, meaning) && meaning.add(draft) };
    readCode(language, text, { ...invocation, words: [literal(language)] }, walk, grave);
  }
}

function isGrave({ effect, targets }: Draft, { where }: Meaning): boolean {
  if (gravity(effect) > gravity('run_opaque')) return true;
  return targets.some(({ id, glob }) => {
    const tags = id.startsWith('file:') ? placeOf(id.slice(5), glob, where).tags : [];
    if (effect === 'read') return tags.includes('credential');
    return effect === 'delete_many' && (tags.includes('home') || tags.includes('root') || tags.includes('system_root'));
  });
}
