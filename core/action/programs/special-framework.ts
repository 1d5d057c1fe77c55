// Tasks of web frameworks (`rails`, `manage.py`, `artisan`), by their names, and the text they are given to run inside the project.

import type { Stream } from '../../shell/values.ts';
import { readCode } from '../code.ts';
import { readsRecords } from '../code-records.ts';
import type { Effect } from '../types.ts';
import { type Call, emit, optionValue, residueOf, type Special } from './call.ts';

const TASK_EFFECTS: readonly (readonly [RegExp, Effect])[] = [
  [/^(?:createsuperuser|changepassword)$/, 'identity_change'],
  [
    /^(?:showmigrations|diffsettings|inspectdb|sqlmigrate|routes?|about|stats|notes|db:version|db:migrate:status|route:list|list|migrate:status|env|event:list|schedule:list|help|version)$/,
    'read',
  ],
  [
    /^(?:db:(?:drop|reset|purge|schema:load|wipe|rollback)|migrate:(?:fresh|refresh|reset|rollback)|flush|reset_db|sqlflush)/,
    'database_destroy',
  ],
  [/^(?:db:|migrate|loaddata)/, 'database_change'],
  [/^(?:(?:runner|r|shell|shell_plus|console|c|dbshell|dbconsole|tinker)$|credentials:)/, 'run_opaque'],
];
const TAKES_TEXT = /^(?:runner|r|shell|shell_plus|console|c|tinker)$/;

export const framework: Special = (call) => {
  const task = call.given.operands[0]?.text ?? '';
  const text = TAKES_TEXT.test(task) ? givenText(call) : undefined;
  if (text !== undefined) return runInside(call, text);
  const effect = TASK_EFFECTS.find(([pattern]) => pattern.test(task))?.[1] ?? 'build';
  emit(call, {
    effect: effect === 'database_destroy' && ofTests(call) ? 'database_change' : effect,
    operation: task.slice(0, 40) || call.operation,
    residue: residueOf(call, call.given.operands),
  });
  return { origins: ['file'] };
};

/** What a console is given to run; undefined where it is a file, or nobody can see it. */
function givenText(call: Call): string | undefined {
  const { stdin } = call.invocation.frame;
  const option = optionValue(call, '--execute') ?? optionValue(call, '--command');
  const word = option ?? call.given.operands[1];
  if (word === undefined) return stdin.origins.includes('download') ? undefined : stdin.text;
  return word.known && word.origins.length === 0 && /[\s(]/.test(word.text) ? word.text : undefined;
}

/** It has the project's database at hand, so a language that no lexer reads may only ask for records. */
function runInside(call: Call, text: string): Stream {
  if (call.tool === 'django-admin') return readCode('python', text, call.invocation, call.walk, call.meaning);
  emit(call, {
    effect: readsRecords(text) ? 'run_unknown' : 'run_opaque',
    operation: call.given.operands[0]?.text ?? call.operation,
    residue: [text, ...residueOf(call)],
  });
  return { origins: ['file'] };
}

/** The line says that it is the database of the tests, which each run makes anew, and names no other. */
export function ofTests(call: Call): boolean {
  const { state, assignments } = call.invocation;
  const variables = new Map(state.exported);
  for (const { name, value } of assignments) variables.set(name, value.known ? value.text : '?');
  for (const word of call.given.operands) {
    const set = /^([A-Z_]+)=(.*)$/.exec(word.text);
    if (set) variables.set(set[1] as string, set[2] as string);
  }
  if ([...variables.keys()].some((name) => /DATABASE|DB_|_URL$|_HOST$/.test(name))) return false;
  const stages = ['RAILS_ENV', 'RACK_ENV', 'APP_ENV', 'MIX_ENV'].flatMap((name) => variables.get(name) ?? []);
  const option = optionValue(call, '--env')?.text;
  if (option !== undefined) stages.push(option);
  return stages.length > 0 && stages.every((stage) => /^test(?:ing)?$/.test(stage));
}
