// Lines of PowerShell and cmd.exe: every command that could run in them, by what cmdlets do and by the tables of programs.
// What is not plain (a member nobody knows, a computed name) is opaque, and a line that cannot be cut is not read at all.

import { type Arg, literal } from '../shell/values.ts';
import type { Draft } from './draft.ts';
import type { Where } from './paths.ts';
import { ALIASES, CMDLETS, cmdletByVerb } from './powershell-cmdlets.ts';
import { readExpression } from './powershell-expression.ts';
import { argumentsOf, contentOf, type Given, place, readFiles } from './powershell-files.ts';
import { type PsCommand, type PsPipeline, type PsWord, parsePowershell, READ_DIFFERENTLY } from './powershell-parse.ts';
import { add, type Flow, flowsIn, type Powershell } from './powershell-state.ts';
import { readLookup, readRequest } from './powershell-web.ts';
import { PROGRAM_NAMES } from './programs/program-names.ts';
import type { Effect } from './types.ts';

export type Powered = { readonly drafts: Draft[]; readonly certain: boolean };

const MAX_DEPTH = 8;
const NONE: ReadonlySet<Flow> = new Set();
/** Cheap, and true of nearly every line that is meant for Windows. */
const HINT =
  /(?:^|[;|({&\n=]\s{0,8})(?:[A-Za-z]{2,16}-[A-Z][A-Za-z]{2,40}|[a-z]{2,12}-[a-z]{3,24}|iex|iwr|irm|gci|(?:del|erase|rd|rmdir|copy|move|xcopy|type|ren|dir|at)\s+(?:\/|[^\n|;]{0,200}\\)|(?:tasklist|taskkill|robocopy|xcopy|ipconfig|systeminfo|setx|mklink|attrib|auditpol|msiexec|driverquery|gpresult|vssadmin|findstr|certutil|bitsadmin|schtasks|wmic)(?![\w./:-]))|(?:if|foreach|while|switch)\s{0,4}\(\s{0,4}[$!(]|\$lastexitcode|\$env:|[A-Za-z]:\\|(?:^|\s)\.{1,2}\\|\]::/i;

/** Undefined when the text is not meant for Windows, or cannot be cut into commands. */
export function readPowershell(text: string, where: Where, run: Powershell['run'], meant = false): Powered | undefined {
  if (!meant && !HINT.test(text)) return undefined;
  const script = parsePowershell(text);
  if (!script || !(meant || script.some((pipeline) => windows(pipeline)))) return undefined;
  const state: Powershell = {
    where,
    drafts: [],
    run,
    variables: new Map(),
    fetched: new Set(),
    certain: true,
    depth: 0,
  };
  for (const pipeline of script) readPipeline(state, pipeline);
  return { drafts: state.drafts, certain: state.certain && !READ_DIFFERENTLY.test(text) };
}

const WINDOWS_ONLY =
  /^(?:tasklist|taskkill|robocopy|xcopy|ipconfig|systeminfo|setx|mklink|attrib|auditpol|msiexec|driverquery|gpresult|findstr|certutil|bitsadmin|schtasks|wmic)$/i;

/** Some command of it is none that another system has. */
function windows(pipeline: PsPipeline): boolean {
  return pipeline.some((command) => {
    const name = command.expression ? '' : (command.words[0]?.text ?? '');
    return (
      (name.includes('-') && CMDLETS.has(name.toLowerCase())) ||
      /^[A-Z][a-z]+-[A-Z][A-Za-z]+$/.test(name) ||
      /^(?:iex|iwr|irm|gci)$/i.test(name) ||
      (command.expression && /^\$env:|\]::|^\$\w+\s*=/i.test(command.source)) ||
      command.words.some((word) => !word.quoted && /^[A-Za-z]:\\|^\.{1,2}\\|^\\\\|^\$env:/i.test(word.text)) ||
      WINDOWS_ONLY.test(name) ||
      (/^(?:if|foreach|while|switch)$/i.test(name) &&
        command.words[1]?.text === '()' &&
        command.words[2]?.text === '{}') ||
      /\$lastexitcode\b/i.test(command.source) ||
      (/^(?:del|erase|rd|rmdir|copy|move|type|ren|dir)$/i.test(name) &&
        command.words.some((word) => /^\/[A-Za-z]{1,3}$|\\/.test(word.text))) ||
      command.inner.some(windows)
    );
  });
}

function readPipeline(state: Powershell, pipeline: PsPipeline): ReadonlySet<Flow> {
  state.depth += 1;
  let flows = NONE;
  let before: Given | undefined;
  for (const command of pipeline) {
    const inner = command.inner.map((part) => (state.depth > MAX_DEPTH ? NONE : readPipeline(state, part)));
    const into = new Set([...flows, ...inner.flatMap((part) => [...part])]);
    for (const word of command.words) for (const flow of flowsIn(state, word)) into.add(flow);
    flows = readCommand(state, command, into, before, command !== pipeline[0]);
    before = argumentsOf(command);
    redirected(state, command);
    if (command.assigns !== undefined) assign(state, command, flows);
  }
  state.depth -= 1;
  return flows;
}

function assign(state: Powershell, command: PsCommand, flows: ReadonlySet<Flow>): void {
  const only = command.words.length === 1 && command.inner.length === 0 ? command.words[0] : undefined;
  state.variables.set(command.assigns as string, { flows, ...(only?.known && { text: only.text }) });
}

function run(state: Powershell, words: readonly Arg[]): void {
  state.run(words, state.where.cwd);
}

function redirected(state: Powershell, command: PsCommand): void {
  for (const { file, append } of command.redirects) {
    if (/^(?:\$null|nul)$/i.test(file.text)) continue;
    add(state, 'file', 'write', {
      operation: append ? 'append' : 'write',
      targets: [place(file, state.where)],
      flags: append ? [] : ['truncate'],
      scope: undefined,
      residue: [command.source],
    });
  }
}

function readCommand(
  state: Powershell,
  command: PsCommand,
  into: ReadonlySet<Flow>,
  before: Given | undefined,
  piped: boolean,
): ReadonlySet<Flow> {
  const first = command.words[0];
  if (!first) return into;
  if (command.expression && !called(command)) return readExpression(state, command, into);
  if (!first.known) {
    add(state, 'shell', into.has('download') ? 'download_execute' : 'run_opaque', { residue: [command.source] });
    return new Set(['generated']);
  }
  const written = first.text.toLowerCase().replace(/\.(?:exe|cmd|bat)$/, '');
  const name = ALIASES.get(written) ?? written;
  if (name === 'invoke-expression') return runText(state, command, into);
  const web = readRequest(state, name, command, into) ?? readLookup(state, name, command, into);
  if (web) return web;
  const reads = state.drafts.length;
  if (readFiles(state, name, command, before, piped)) return contentOf(state, name, reads, into);
  if (special(state, name, command, into))
    return /net\.(?:webclient|http)/i.test(command.source) ? new Set<Flow>(['download']) : NONE;
  const effect = CMDLETS.get(name);
  if (effect !== undefined) {
    const looks = effect === 'read';
    add(state, name, effect, {
      operation: looks ? 'look' : 'run',
      residue: looks || effect === 'none' ? [] : [command.source],
      ...(looks && { metadata: true }),
    });
    return effect === 'secret_fetch' ? new Set<Flow>(['secret']) : into;
  }
  return program(state, name, command, into);
}

/** `"C:\x.exe" a` behind a call sign is a program, whatever it looks like. */
function called(command: PsCommand): boolean {
  const first = command.words[0] as PsWord;
  return first.quoted && command.source.startsWith('&');
}

/** Text that is run: what it says when it is seen, else by where it came from. */
function runText(state: Powershell, command: PsCommand, into: ReadonlySet<Flow>): ReadonlySet<Flow> {
  const given = command.words.filter((word, at) => at > 0 && !/^-/.test(word.text));
  const name = /^\$(\w+)$/.exec(given[0]?.text ?? '')?.[1]?.toLowerCase();
  const text = given.every((word) => word.known)
    ? given.map((word) => word.text).join(' ')
    : name === undefined
      ? undefined
      : state.variables.get(name)?.text;
  if (into.has('download') || into.has('decoded'))
    add(state, 'shell', 'download_execute', { residue: [command.source] });
  else {
    const script = text ? parsePowershell(text) : undefined;
    if (script && state.depth <= MAX_DEPTH) for (const pipeline of script) readPipeline(state, pipeline);
    else add(state, 'shell', 'run_opaque', { residue: [command.source] });
  }
  return new Set(['generated']);
}

const GUARDS =
  /windefend|sense|wscsvc|mpssvc|eventlog|wuauserv|sysmon|securityhealth|defender|crowdstrike|csfalcon|sentinel|carbonblack|mdatp|bits_guard/i;

/** Cmdlets whose arguments decide. True when it was one of them. */
function special(state: Powershell, name: string, command: PsCommand, into: ReadonlySet<Flow>): boolean {
  const { operands, options } = argumentsOf(command);
  const text = command.source;
  const residue = [text];
  const emit = (effect: Effect, over: Partial<Draft> = {}) => add(state, name, effect, { residue, ...over });
  if (/\bbeacond?\b/i.test(text) && /service|process|item|task/.test(name) && !/^get-/.test(name)) {
    emit('self_governance');
    return true;
  }
  switch (name) {
    case 'stop-service':
    case 'set-service':
      emit(GUARDS.test(text) ? 'security_disable' : 'system_change');
      return true;
    case 'set-netfirewallprofile':
      emit(
        /-enabled\s+(?:\$?false|0)|-defaultinboundaction\s+allow/i.test(text) ? 'security_disable' : 'system_change',
      );
      return true;
    case 'set-mppreference':
      emit(/\$false|\s0(?:\s|$)/i.test(text) && !/exclusion|\$true/i.test(text) ? 'system_change' : 'security_disable');
      return true;
    case 'set-executionpolicy':
      // For this one process it is no more than an option of the program that runs the script.
      emit(/-scope\s+process/i.test(text) ? 'none' : 'security_disable');
      return true;
    case 'auditpol':
    case 'manage-bde':
    case 'fltmc':
      emit(/\/get|\/list|-status|^fltmc\s*$|filters|instances/i.test(text) ? 'read' : 'security_disable');
      return true;
    case 'stop-process':
      stopProcess(state, operands, options, text);
      return true;
    case 'start-process':
      startProcess(state, command, into);
      return true;
    case 'new-object':
      emit(
        /sockets\.tcp(?:client|listener)/i.test(text) ? 'remote_shell' : /-com/i.test(text) ? 'run_unknown' : 'none',
      );
      return true;
    case 'invoke-command':
    case 'enter-pssession':
    case 'new-pssession': {
      const host = options.get('-computername') ?? options.get('-hostname') ?? options.get('-vmname');
      if (host || name !== 'invoke-command')
        emit('run_unknown', {
          flags: ['remote'],
          scope: 'remote',
          targets: [{ id: `host:${host?.text ?? operands[0]?.text ?? ''}`, known: true, glob: false }],
        });
      return true;
    }
    case 'invoke-sqlcmd': {
      const query = options.get('-query') ?? options.get('-q') ?? operands[0];
      run(state, [literal('sqlcmd'), literal('-Q'), query ? toArg(query) : literal('')]);
      return true;
    }
    case 'wsl':
      if (/--unregister/.test(text)) emit('infra_destroy');
      else if (operands.length > 0)
        run(
          state,
          command.words
            .slice(1)
            .filter((word) => !/^(?:-e|--exec|--)$/.test(word.text))
            .map(toArg),
        );
      else emit('read');
      return true;
    case 'cmd':
      return false;
    default:
      return false;
  }
}

function stopProcess(state: Powershell, operands: readonly PsWord[], options: Given['options'], text: string): void {
  const names = [
    options.get('-name'),
    options.get('-processname'),
    ...[...text.matchAll(/\/im\s+(\S+)/gi)].map((match) => ({ text: match[1] as string, known: true, quoted: false })),
  ];
  const ids = [
    options.get('-id'),
    ...[...text.matchAll(/\/pid\s+(\d+)/gi)].map((match) => ({ text: match[1] as string, known: true, quoted: false })),
    ...operands.filter((word) => /^\d+$/.test(word.text)),
  ];
  const named = names.flatMap((word) => (word ? word.text.split(',') : []));
  for (const name of named) run(state, [literal('pkill'), literal(name.replace(/\.exe$/i, ''))]);
  for (const id of ids) if (id) run(state, [literal('kill'), toArg(id)]);
  if (named.length === 0 && ids.every((id) => id === undefined))
    add(state, 'stop-process', 'process_own', { flags: ['unresolved_target'], residue: [text] });
}

function startProcess(state: Powershell, command: PsCommand, into: ReadonlySet<Flow>): void {
  const { operands, options } = argumentsOf(command);
  const file = options.get('-filepath') ?? operands[0];
  const list = options.get('-argumentlist') ?? options.get('-args') ?? operands[1];
  if (/^runas$/i.test(options.get('-verb')?.text ?? ''))
    add(state, 'start-process', 'identity_change', { operation: 'elevate', residue: [command.source] });
  if (!file) return;
  const given = (list?.text ?? '').split(/[\s,]+/).filter((word) => word !== '');
  program(
    state,
    file.text.toLowerCase(),
    { ...command, words: [file, ...given.map((text) => ({ text, known: list?.known === true, quoted: false }))] },
    into,
  );
}

const INTERPRETERS = /^(?:powershell|pwsh|cmd|bash|sh|python\d?|py|node|deno|bun|perl|ruby|php)$/;

function toArg(word: PsWord): Arg {
  // A key of the registry is no path.
  const path = /^(?:[A-Za-z]:|\.{1,2}|~)?\\|^(?!hk(?:lm|cu|cr|u|cc|ey_\w{1,30})\\)[\w.-]+\\/i.test(word.text);
  return {
    text: path ? word.text.replaceAll('\\', '/') : word.text,
    known: word.known,
    glob: !word.quoted && /[*?]/.test(word.text),
    origins: [],
  };
}

function program(state: Powershell, name: string, command: PsCommand, into: ReadonlySet<Flow>): ReadonlySet<Flow> {
  const base = name
    .slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
    .replace(/\.(?:exe|cmd|bat|ps1)$/, '');
  if ((into.has('download') && INTERPRETERS.test(base)) || state.fetched.has(base)) {
    add(state, base, 'download_execute', { residue: [command.source] });
    return new Set(['generated']);
  }
  const verb = cmdletByVerb(name);
  if (!PROGRAM_NAMES.has(base) && verb !== undefined) {
    add(state, name, verb, { residue: [command.source], ...(verb === 'read' && { metadata: true, residue: [] }) });
    return verb === 'secret_fetch' ? new Set<Flow>(['secret']) : into;
  }
  if (!PROGRAM_NAMES.has(base) && !/[\\/]/.test(name)) state.certain = false;
  const [first, ...rest] = command.words as readonly [PsWord, ...PsWord[]];
  // Where programs are installed, the name says what it is.
  const installed = PROGRAM_NAMES.has(base) && /^[a-z]:\\(?!users|windows\\temp|temp)/i.test(first.text);
  run(state, [
    { ...toArg(first), text: installed ? base : toArg(first).text.replace(/\.(?:exe|cmd)$/i, '') },
    ...rest.map((word) => ({ ...toArg(word), origins: [...flowsIn(state, word, into)] })),
  ]);
  return into;
}
