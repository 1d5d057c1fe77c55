// Tool calls of agents, SDKs, MCP servers and workflow steps: known names by table, others by the verb in their name.
// A name that says nothing clear stays `unknown`: a friendly name is no evidence.

import { invalidArgument } from '../errors.ts';
import { literal } from '../shell/values.ts';
import { readBrowser } from './browser.ts';
import { inCluster } from './cluster-tools.ts';
import { languageOf } from './code-language.ts';
import { readComputer } from './computer.ts';
import { type Draft, fileTarget } from './draft.ts';
import { sizeOf, textsIn } from './extent.ts';
import { asCommand, asInstall } from './git-tools.ts';
import { fileRequest, requestDraft } from './http.ts';
import { readPatch } from './patch.ts';
import { plantedIn } from './planted.ts';
import { codeReading, lineIn, readOnce, readShell, readWords, type ShellReading } from './shell-action.ts';
import { storeCommands } from './store-command.ts';
import {
  bodyIn,
  codeIn,
  commandIn,
  type Given,
  isObject,
  methodIn,
  namesOnly,
  recipientsOf,
  snakeCase,
  type ToolCall,
  textOf,
  wordsIn,
} from './tool-arguments.ts';
import { callsWithin } from './tool-calls.ts';
import { hiddenIn } from './tool-hidden.ts';
import { shapedFiles } from './tool-shapes.ts';
import { readByVerb } from './tool-verbs.ts';
import type { Effect } from './types.ts';
import { urlTarget } from './urls.ts';
import { readStep } from './workflow.ts';

type Native = (call: ToolCall, name: string) => ShellReading;

const only = (drafts: readonly Draft[]): ShellReading => ({ drafts: [...drafts], secrets: [] });

const COMMAND = 'command cmd script run commands shell_command bash input';
const PATH =
  'file_path path filePath notebook_path absolute_path target_file filename file uri dir_path directory relative_path relative_workspace_path';

const runCommand: Native = (call) => {
  const { given, where, field } = call;
  const list = [given.command, given.cmd, given.argv, given.args].find((value) => Array.isArray(value));
  if (list) {
    const words = (list as unknown[]).filter((word) => typeof word === 'string') as string[];
    if (words.length === 0) throw invalidArgument(`${field}.command`, 'must not be empty');
    return readWords(words.map(literal), where);
  }
  const text = textOf(given, COMMAND) ?? textOf(given, 'code');
  if (text === undefined || text.trim() === '') throw invalidArgument(`${field}.command`, 'must be a command');
  return readOnce(text, where);
};

function pathOf(call: ToolCall, required: boolean): string | undefined {
  const path = textOf(call.given, PATH);
  if (path === undefined && required) throw invalidArgument(`${call.field}.file_path`, 'must be a path');
  return path;
}

function file(operation: string, effect: Effect, metadata = false): Native {
  return (call) => {
    const lists = [call.given.paths, call.given.files].find((value) => Array.isArray(value)) as unknown[] | undefined;
    const named = lists
      ?.map((item) => (typeof item === 'string' ? item : textOf((item ?? {}) as Given, PATH)))
      .filter((item) => item !== undefined);
    const paths = named && named.length > 0 ? named : [pathOf(call, !metadata && effect !== 'read') ?? '.'];
    const { given, where } = call;
    const targets = paths.map((path) =>
      fileTarget(
        { text: path, known: true, glob: /[*?]/.test(path) && effect !== 'write' },
        where.cwd ?? where.workspace,
        where,
      ),
    );
    const content = [
      'content',
      'contents',
      'file_text',
      'text',
      'new_string',
      'new_str',
      'new_source',
      'edits',
      'code_edit',
      'old_string',
      'old_str',
      'diff',
    ].map((name) => given[name]);
    const residue = content
      .filter((value) => value !== undefined)
      .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
    const flags = operation === 'write' && effect === 'write' ? ['truncate'] : [];
    return only([
      {
        tool: 'file',
        operation,
        effect,
        targets,
        flags,
        residue: effect === 'read' ? [] : residue,
        changed: sizeOf(content.flatMap(textsIn)),
        ...(metadata && { metadata: true }),
      },
      ...(effect === 'write'
        ? paths.flatMap((path) =>
            plantedIn(path, newText(given), operation === 'edit' ? oldText(given) : undefined, where, lineIn(where)),
          )
        : []),
    ]);
  };
}

function textsOf(given: Given, names: string): string {
  const edits = Array.isArray(given.edits) ? given.edits.filter(isObject) : [];
  return [given, ...edits]
    .map((one) => textOf(one, names))
    .filter((text) => text !== undefined)
    .join('\n');
}

/** What a write or an edit brings in, and what an edit takes out. */
const newText = (given: Given) =>
  textsOf(given, 'content contents file_text new_string new_str new_source newText new_text code_edit text');
const oldText = (given: Given) => textsOf(given, 'old_string old_str oldText old_text old_source');

const editFile: Native = (call, name) => {
  const command = textOf(call.given, 'command');
  if (command === 'view' || command === 'read') return file('read', 'read')(call, name);
  if (command === 'create') return file('write', 'write')(call, name);
  return file('edit', 'write')(call, name);
};

const moveFile: Native = ({ given, where, field }) => {
  const from = textOf(given, 'source from source_path old_path src');
  const to = textOf(given, 'destination to target_path new_path dst dest');
  if (from === undefined || to === undefined)
    throw invalidArgument(`${field}.destination`, 'must name source and destination');
  const word = (text: string) => fileTarget({ text, known: true, glob: false }, where.cwd ?? where.workspace, where);
  return only([
    {
      tool: 'mv',
      operation: 'move',
      effect: 'overwrite',
      targets: [word(from), { ...word(to), lands: true }],
      flags: [],
    },
  ]);
};

const fetchPage: Native = ({ given, field, where }) => {
  const url = textOf(given, 'url uri href address') ?? /https?:\/\/[^\s"'<>]+/.exec(textOf(given, 'prompt') ?? '')?.[0];
  if (url === undefined) throw invalidArgument(`${field}.url`, 'must be an address');
  const file = fileRequest(url, 'fetch', where);
  if (file) return only([file]);
  const body = bodyIn(given);
  const draft = requestDraft({ method: methodIn(given, '', body), url: { text: url, known: true }, body });
  if (!draft) throw invalidArgument(`${field}.url`, 'has no host');
  return only([draft]);
};

const searchWeb: Native = ({ given }) =>
  only([
    {
      tool: 'web_search',
      operation: 'search',
      effect: 'fetch',
      targets: [],
      flags: ['remote'],
      residue: [JSON.stringify(given)],
      systems: ['web'],
    },
  ]);

const nothing: Native = (_call, name) =>
  only([{ tool: name, operation: 'note', effect: 'none', targets: [], flags: [] }]);

const delegate: Native = ({ given }, name) =>
  only([
    { tool: name, operation: 'delegate', effect: 'delegate', targets: [], flags: [], residue: [JSON.stringify(given)] },
  ]);

const patch: Native = ({ given, where, field }) => {
  const list = [given.command, given.cmd].find((value) => Array.isArray(value)) as unknown[] | undefined;
  const text =
    textOf(given, 'input patch diff content') ??
    (typeof list?.at(-1) === 'string' ? (list.at(-1) as string) : textOf(given, 'command'));
  if (text === undefined) throw invalidArgument(`${field}.input`, 'must be a patch');
  return only(readPatch(text, where, `${field}.input`, lineIn(where)));
};

const typeInto: Native = ({ given, where }) => {
  const chars = textOf(given, 'chars input text') ?? '';
  if (chars.replace(/\p{Cc}/gu, '').trim() === '')
    return only([{ tool: 'shell', operation: 'wait', effect: 'none', targets: [], flags: [] }]);
  const read = readShell(chars, where);
  return {
    ...read,
    drafts: [
      ...read.drafts,
      {
        tool: 'shell',
        operation: 'type',
        effect: 'run_unknown',
        targets: [],
        flags: ['running_process'],
        residue: [chars],
      },
    ],
  };
};

const runCode: Native = (call) => {
  const text = textOf(call.given, 'code source script text input command');
  if (text === undefined || text.trim() === '') throw invalidArgument(`${call.field}.code`, 'must be program text');
  return codeReading((textOf(call.given, 'language lang') ?? languageOf(text)).toLowerCase(), text, call.where);
};

function table(rows: readonly (readonly [string, Native])[]): ReadonlyMap<string, Native> {
  return new Map(rows.flatMap(([names, native]) => names.split(' ').map((name) => [name, native] as const)));
}

/** Names in lower snake case. */
const NATIVE = table([
  [
    'bash shell exec_command local_shell run_shell_command run_terminal_cmd run_terminal_command execute_command terminal run_command container_exec shell_command unified_exec execute_bash run_in_terminal shell_exec bash_tool run_bash exec start_process run_process execute_bash_command execute_shell',
    runCommand,
  ],
  ['apply_patch applypatch', patch],
  ['write write_file create_file write_to_file save_file create write_text_file', file('write', 'write')],
  [
    'edit multi_edit multiedit replace edit_file insert_edit_into_file replace_string_in_file replace_in_file search_replace insert_edit apply_diff notebook_edit edit_notebook notebookedit append_file append_to_file edit_block edit_lines insert_lines replace_lines',
    file('edit', 'write'),
  ],
  ['str_replace_editor str_replace_based_edit_tool text_editor str_replace', editFile],
  [
    'read read_file view view_image read_many_files open_file cat notebook_read read_text_file read_media_file read_multiple_files get_file_contents_local view_file',
    file('read', 'read'),
  ],
  [
    'glob ls list_directory list_dir search_files find_files codebase_search file_search directory_tree get_file_info list_files glob_file_search list_allowed_directories',
    file('list', 'read', true),
  ],
  ['grep search_file_content grep_search ripgrep', (call, name) => file('search', 'read', namesOnly(call))(call, name)],
  ['delete_file remove_file unlink delete_path', file('delete', 'delete')],
  [
    'delete_directory remove_directory delete_folder remove_folder rmdir rm_rf delete_dir remove_dir empty_directory',
    file('delete', 'delete_many'),
  ],
  ['create_directory mkdir make_directory', file('create', 'write')],
  ['move_file rename_file move_path', moveFile],
  ['web_fetch fetch fetch_url webfetch http_request read_url open_url browse_url', fetchPage],
  ['web_search websearch google_web_search search_web internet_search', searchWeb],
  [
    'task spawn_agent agent delegate send_input send_message_to_agent subagent new_task dispatch_agent handoff',
    delegate,
  ],
  [
    'update_plan todo_write todowrite todo_read exit_plan_mode enter_plan_mode ask_user_question request_user_input bash_output task_output wait close_agent resume_agent wait_agent list_mcp_resources list_mcp_resource_templates read_mcp_resource tool_search think sequentialthinking sequential_thinking ask_followup_question attempt_completion task_list task_get task_create task_update slash_command skill structured_output',
    nothing,
  ],
  [
    'kill_shell kill_bash task_stop',
    (_call, name) => only([{ tool: name, operation: 'stop', effect: 'process_own', targets: [], flags: [] }]),
  ],
  ['write_stdin send_keys', typeInto],
  ['run_code execute_code python repl code_interpreter js_repl execute_python run_python ipython', runCode],
]);

/** Calls within calls are followed this far. */
const MAX_DEPTH = 3;

export function readTool(given: ToolCall, depth = 0): ShellReading {
  const reading = readNamed(given, depth);
  const { where } = given;
  const hidden = hiddenIn(snakeCase(given.tool), given.given, where, reading.drafts, {
    line: (text) => readOnce(text, where),
    words: (words) => readWords(words, where),
    code: (language, text) => codeReading(language, text, where),
  });
  return hidden.length === 0 ? reading : { ...reading, drafts: [...reading.drafts, ...hidden] };
}

function readNamed(given: ToolCall, depth: number): ShellReading {
  const split = /^mcp__(.+?)__(.+)$/.exec(given.tool);
  const call: ToolCall = split ? { ...given, server: split[1] as string, tool: split[2] as string } : given;
  const name = snakeCase(call.tool);
  const own =
    call.server === '' ||
    /^(?:filesystem|fs|shell|terminal|bash|desktop_commander|fetch|functions|builtin)/.test(snakeCase(call.server));
  const within = depth < MAX_DEPTH ? callsWithin(call, name) : undefined;
  if (within) {
    const read = within.map((one) => readTool(one, depth + 1));
    return { drafts: read.flatMap(({ drafts }) => drafts), secrets: read.flatMap(({ secrets }) => secrets) };
  }
  const step = call.workflow ? readStep(call, name) : undefined;
  if (step) return step;
  if (QUIET.test(name) || (call.server === '' && ENDS.test(name))) return nothing(call, name);
  const stored = storeCommands(call, name);
  if (stored) return only(stored);
  const native = own || NATIVE.get(name) === runCommand ? NATIVE.get(name) : undefined;
  if (native) return native === runCommand ? later(call, name, native(call, name)) : native(call, name);
  const computer = readComputer(call, name);
  if (computer) return only(computer);
  const words = asCommand(call, name) ?? asInstall(call.given, name);
  if (words) return readWords(words.map(literal), call.where);
  if (/^browser|playwright|puppeteer|chrome/.test(snakeCase(call.server)) || /^browser_/.test(name)) {
    return only(readBrowser(name, '', call.given, call.where));
  }
  const objects = inCluster(call, name);
  if (objects) return objects;
  const line = wordsIn(call.given, name, snakeCase(call.server));
  if (line) return readWords(line.map(literal), call.where);
  const shaped = call.server === '' ? shapedFiles(call.given, name) : undefined;
  if (shaped)
    return shaped.length === 0
      ? nothing(call, name)
      : file('edit', 'write')({ ...call, given: { ...call.given, paths: shaped } }, name);
  const edit = inEditor(call, name);
  if (edit) return edit;
  const command = commandIn(call.given, name, snakeCase(call.server));
  if (command !== undefined) return later(call, name, readOnce(command, call.where));
  const fetched = fetchedCode(call, name);
  if (fetched) return only(fetched);
  const text = codeIn(call.given, name);
  if (text) return codeReading(text.language ?? languageOf(text.text), text.text, call.where);
  return only(readByVerb(call, name));
}

/** Servers that edit the code of the workspace by its symbols. */
const EDITORS =
  /^(?:serena|jetbrains|intellij|pycharm|ide|vs_?code|xcode\w*|neovim|emacs|cursor|text_editor|editor|code_editor|lsp|refactor\w*)(?:_|$)/;

function inEditor(call: ToolCall, name: string): ShellReading | undefined {
  if (!EDITORS.test(snakeCase(call.server)) || textOf(call.given, PATH) === undefined) return undefined;
  if (
    /^(?:replace|insert|edit|rename|update|append|refactor|reformat|format|apply|modify|organize|optimize)(?:_|$)/.test(
      name,
    )
  )
    return file('edit', 'write')(call, name);
  return /^(?:create|write|new)_(?:\w+_)?file(?:_|$)/.test(name) ? file('write', 'write')(call, name) : undefined;
}

/** A command that is planted to run at another time does so whatever it is. */
function later({ given }: ToolCall, name: string, read: ShellReading): ShellReading {
  const planted =
    /(?:^|_)(?:schedule|scheduled|cron|cronjob|crontab|timer|at|recurring)(?:_|$)/.test(name) ||
    ['cron', 'cron_expression', 'schedule', 'rrule', 'run_at'].some((key) => typeof given[key] === 'string');
  if (!planted) return read;
  const residue = [JSON.stringify(given)];
  return {
    ...read,
    drafts: [
      ...read.drafts,
      { tool: name, operation: 'schedule', effect: 'schedule', targets: [], flags: [], residue },
    ],
  };
}

/** `run_script {url}`: what it runs nobody saw. */
function fetchedCode({ given }: ToolCall, name: string): Draft[] | undefined {
  const url = textOf(given, 'url script_url source_url uri script code');
  if (url === undefined || !/^(?:https?|ftp):\/\/\S+$/i.test(url.trim())) return undefined;
  if (
    !/^(?:run|exec\w*|eval\w*|source|load|install)_(?:\w+_)?(?:script|code|file|installer|binary|notebook|from_url|remote|url)(?:_|$)/.test(
      name,
    )
  )
    return undefined;
  return [
    {
      tool: name,
      operation: 'run',
      effect: 'download_execute',
      targets: [urlTarget({ text: url, known: true })],
      flags: [],
    },
  ];
}

/** Whose result is all they have: thinking aloud, arithmetic, the time. */
const QUIET =
  /^(?:sequential_?thinking|think|calculator|calculate|calc|evaluate_expression|convert_units?|unit_converter|(?:get_)?current_(?:time|date)|get_time|date_?time|now|final_(?:answer|response)|respond|answer_user|ask_(?:user|human|question|clarif\w+|for_\w+|the_user|user_\w+)|(?:request|get)_(?:user|human)_(?:input|feedback|confirmation|approval)|confirm_with_user|prompt_user|clarify|noop|no_op)$/;

/** How frameworks let an agent say that it has done. */
const ENDS =
  /^(?:finish|done|end_turn|end_conversation|task_completed?|final_result|finish_(?:task|run|turn|conversation)|submit_(?:final_)?(?:answer|result|response))$/;

/** Addresses and numbers by which somebody is reached: in the call they are no leak. */
export function addressedBy(given: Given): string[] {
  return recipientsOf(given);
}
