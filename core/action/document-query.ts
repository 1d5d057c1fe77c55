// Pipelines of document databases by their stages: they read, unless one writes its result down or runs code.

import { parseJsonText } from '../strict-json.ts';
import { type Given, isObject } from './tool-arguments.ts';
import type { Effect } from './types.ts';

const MAX_STAGES = 256;
const MAX_TEXT = 65_536;
/** Program text that the database runs. */
const RUNS = /"\$(?:function|accumulator|where)"/;

/** Undefined when the call holds no pipeline of stages. */
export function pipelineEffect(given: Given): Effect | undefined {
  const stages = stagesIn(given.pipeline ?? given.aggregation);
  if (stages === undefined) return undefined;
  const text = JSON.stringify(stages);
  if (stages.length > MAX_STAGES || text.length > MAX_TEXT || RUNS.test(text)) return 'unknown';
  // What stood in the collection that a result goes out to is gone.
  if (text.includes('"$out"')) return 'database_destroy';
  return text.includes('"$merge"') ? 'database_change' : 'read';
}

function stagesIn(value: unknown): readonly Given[] | undefined {
  const list = typeof value === 'string' ? listOf(value) : value;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const stages = list.filter((one): one is Given => isObject(one) && isStage(Object.keys(one)));
  return stages.length === list.length ? stages : undefined;
}

const isStage = (keys: readonly string[]) => keys.length === 1 && /^\$[a-z]\w{1,40}$/i.test(keys[0] as string);

function listOf(text: string): unknown {
  if (text.length > MAX_TEXT || !text.trimStart().startsWith('[')) return undefined;
  try {
    return (parseJsonText(`{"list":${text}}`, 'pipeline') as Given).list;
  } catch {
    return undefined;
  }
}
