// Where a program puts what it makes: an option whose name says so is a file or folder that is written, in every program whose
// row says nothing else about it. In the project that is what programs do; at a place that means more, the place decides.

import type { Arg } from '../../shell/values.ts';
import type { Effect } from '../types.ts';
import { optionRule } from './arguments.ts';
import { type Call, emitInput, emitOutput } from './call.ts';

/** A place, whatever the value looks like. */
const FOLDER =
  /^--?(?:out(?:put)?[-_]?(?:dir(?:ectory)?|folder|file|path)|pack-destination|untardir|(?:report|coverage|artifacts?|download|export|save|dist)[-_]?(?:dir(?:ectory)?|folder|path)|junit-?xml|result-file|target-dir|log-?file)$/i;
/** A place or the form of what is printed: only a value that is plainly a path counts. */
const EITHER = /^--?(?:out|output|dest|destination|[a-z]\w{0,20}_out)$/i;
const PATH = /^(?:~\/|\/|\.{1,2}\/)[^=]*$/;
const SHORT: ReadonlySet<Effect> = new Set(['fetch', 'build', 'install_local', 'install_system', 'infra_change']);
const MAX_OUTPUTS = 8;

/** What is read here although what is done happens elsewhere. */
const INPUT =
  /^--(?:file(?:name)?|from-file|from-env-file|(?:template|config|body|input|spec|manifest|parameters?|values|policy|notes|data)-?file)$/i;

export function emitOutputs(call: Call): void {
  let told = 0;
  for (let at = 0; at < call.args.length && told < MAX_OUTPUTS; at += 1) {
    const { text } = call.args[at] as Arg;
    if (text === '--') return;
    if (text.charCodeAt(0) !== 45 || text.length < 2) continue;
    const option = optionAt(call, at);
    const file = placeIn(call, option);
    const given = file ? undefined : inputIn(call, option);
    if (file) emitOutput(call, file);
    else if (given) emitInput(call, given);
    else continue;
    told += 1;
  }
}

/** `-f FILE` of a command for another system, where the row says nothing else about it. */
function inputIn(call: Call, { name, value }: Option): Arg | undefined {
  const elsewhere = call.rule.scope === 'remote' || call.rule.special === 'cloud';
  if (!elsewhere || call.invocation.frame.remote !== undefined) return undefined;
  // Its own reading opens the objects in it.
  if (call.tool === 'kubernetes' && /^(?:-f|--filename)$/.test(name)) return undefined;
  const plain = name === '-f' ? /[./]/.test(value?.text ?? '') : INPUT.test(name);
  if (!plain || !value || optionRule(call.rule, name) !== undefined || /^(?:-|[a-z]{2,10}:)/.test(value.text))
    return undefined;
  // `--from-file=KEY=FILE`
  return { ...value, text: value.text.replace(/^[\w.-]{1,100}=(?=.)/, '').replace(/^@/, '') };
}

type Option = { readonly name: string; readonly value: Arg | undefined };

function optionAt(call: Call, at: number): Option {
  const word = call.args[at] as Arg;
  const equals = word.text.indexOf('=');
  return equals > 0
    ? { name: word.text.slice(0, equals), value: { ...word, text: word.text.slice(equals + 1) } }
    : { name: word.text, value: call.args[at + 1] };
}

function placeIn(call: Call, { name, value }: Option): Arg | undefined {
  const folder = FOLDER.test(name);
  const short = name === '-o' && (SHORT.has(call.effect) || call.rule.scope === 'remote');
  if (!folder && !short && !EITHER.test(name)) return undefined;
  // The row knows it.
  if (optionRule(call.rule, name) !== undefined || call.given.options.get(name) === undefined) return undefined;
  if (!value || value.text === '' || value.text === '-') return undefined;
  if (folder) return value.text.startsWith('-') ? undefined : value;
  // `type=local,dest=DIR`, `json=FILE`, `opts:DIR`
  const text = /(?:^|,)dest=([^,]+)/.exec(value.text)?.[1] ?? value.text.replace(/^[\w-]{1,20}[=:](?=[~/.])/, '');
  return PATH.test(text) ? { ...value, text } : undefined;
}
