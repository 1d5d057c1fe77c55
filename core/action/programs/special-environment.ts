// Commands that set or show the environment: what they set can turn a program into another.

import { forkState, literal, SECRET_NAME } from '../../shell/values.ts';
import { plainTarget } from '../draft.ts';
import { type Call, emit, emitNone, SILENT, type Special, target } from './call.ts';
import { RUNS } from './git-settings.ts';
import { KNOWN_INDEX } from './special-packages.ts';
import { passing } from './surroundings.ts';

/** Setting these makes programs run something else, trust anybody, or leaves no record. */
const LOADERS =
  /^(?:LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|DYLD_\w+|BASH_ENV|ENV|PROMPT_COMMAND|PYTHONSTARTUP|PYTHONPATH|NODE_OPTIONS|PERL5OPT|PERL5LIB|RUBYOPT|GIT_SSH|GIT_SSH_COMMAND|GIT_EXTERNAL_DIFF|GIT_PROXY_COMMAND|GIT_ASKPASS|SSH_ASKPASS|IFS|SHELLOPTS|BASHOPTS|CLASSPATH|JAVA_TOOL_OPTIONS)$/;
const RECORDS = /^(?:HISTFILE|HISTSIZE|HISTFILESIZE|HISTCONTROL|HISTIGNORE)$/;
const GUARDS =
  /^(?:BEACON_\w+|CLAUDE_\w*(?:HOOK|CONFIG|SETTINGS)\w*|CLAUDE_CONFIG_DIR|CODEX_HOME|CODEX_\w*(?:HOOK|POLICY|SANDBOX)\w*|GEMINI_\w*(?:HOOK|CONFIG)\w*)$/;
const TRUST = /^(?:NODE_TLS_REJECT_UNAUTHORIZED|PYTHONHTTPSVERIFY|GIT_SSL_NO_VERIFY|CURL_INSECURE)$/;

/** Other programs start what these say, as a line for a shell. */
const COMMANDS =
  /^(?:PAGER|MANPAGER|GIT_PAGER|SYSTEMD_PAGER|PSQL_PAGER|BAT_PAGER|EDITOR|VISUAL|GIT_EDITOR|GIT_SEQUENCE_EDITOR|KUBE_EDITOR|SUDO_EDITOR|FCEDIT|BROWSER|LESSOPEN|LESSCLOSE|GIT_SSH_COMMAND|GIT_SSH|GIT_EXTERNAL_DIFF|GIT_PROXY_COMMAND|GIT_ASKPASS|SSH_ASKPASS|SUDO_ASKPASS|PROMPT_COMMAND|RSYNC_RSH|CVS_RSH|SVN_SSH|DOCKER_CREDENTIAL_HELPER|npm_config_script_shell|FZF_DEFAULT_COMMAND|RIPGREP_CONFIG_PATH|GCC_EXEC_PREFIX|CC|CXX|CPP|LD|AR|RUSTC(?:_WORKSPACE)?(?:_WRAPPER)?|RUSTDOC|CARGO_BUILD_RUSTC\w*|CARGO_TARGET_\w+_(?:LINKER|RUNNER)|CMAKE_\w+_COMPILER(?:_LAUNCHER)?|GOFLAGS|MAKEFLAGS|NPM_CONFIG_SCRIPT_SHELL)$/;

/** Where packages are taken from. */
const SOURCES =
  /^(?:npm_config_registry|NPM_CONFIG_REGISTRY|YARN_(?:NPM_REGISTRY_SERVER|REGISTRY)|BUN_CONFIG_REGISTRY|(?:PIP|UV)_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS|UV_(?:DEFAULT_)?INDEX|GOPROXY|CARGO_REGISTRIES_\w+_INDEX|BUNDLE_MIRROR__\w+|GEM_SOURCE|HOMEBREW_BOTTLE_DOMAIN)$/;

export const environment: Special = (call) => {
  let plain = true;
  for (const { text } of call.args) {
    const name = /^([A-Za-z_]\w*)/.exec(text)?.[1];
    if (name === undefined || text.startsWith('-')) continue;
    const value = text.slice(name.length + 1);
    const targets = [plainTarget(`variable:${name}`)];
    if (COMMANDS.test(name) && brought(call, value)) {
      emit(call, { effect: 'run_opaque', operation: 'environment', targets, residue: [value] });
      plain = false;
      continue;
    }
    // Setting alone runs nothing; whatever is set to run is judged now, while it can be seen.
    if (COMMANDS.test(name) && /\s|[|;&$`]/.test(value))
      call.walk.text(value.replace(/^\|\s*/, ''), forkState(call.invocation.state), call.invocation.frame);
    if (GUARDS.test(name))
      emit(call, { effect: 'self_governance', operation: 'environment', targets, residue: [value] });
    else if (RECORDS.test(name))
      emit(call, { effect: 'security_disable', operation: 'environment', targets, residue: [value] });
    else if (TRUST.test(name))
      emit(call, { effect: 'security_disable', operation: 'environment', targets, residue: [value] });
    // Past whatever looks at what leaves.
    else if (/^no_proxy$/i.test(name) && /^(?:\*|0\.0\.0\.0\/0)$/.test(value))
      emit(call, { effect: 'security_disable', operation: 'environment', targets, residue: [value] });
    else if (gitSetting(call, name, value) || (name === 'GIT_CONFIG_GLOBAL' && brought(call, value)))
      emit(call, { effect: 'run_opaque', operation: 'environment', targets, residue: [value] });
    else if (SOURCES.test(name) && foreignSource(value))
      emit(call, {
        effect: 'install_local',
        operation: 'environment',
        targets,
        flags: ['foreign_index'],
        residue: [value],
      });
    else if (name === 'PATH' && /(?:^|:)(?:\/tmp|\/var\/tmp|\/dev\/shm)(?:\/|:|$)/.test(value)) {
      emit(call, { effect: 'run_opaque', operation: 'environment', targets, residue: [value] });
    } else if (name === 'PATH' && /^(?:\.{0,2}\/?)?:(?!$)/.test(value)) {
      // Whatever lies where one stands goes before the programs of the system.
      emit(call, { effect: 'run_unknown', operation: 'environment', targets, residue: [value] });
    } else if (LOADERS.test(name) && call.tool === 'export' && value !== '') {
      const harmless =
        name === 'NODE_OPTIONS' &&
        /^(?:--(?:max-old-space-size|no-warnings|trace-\w+|enable-source-maps|experimental-vm-modules)(?:=\S+)?\s*)+$/.test(
          value,
        );
      const paths = /PATH$/.test(name) && !/^\/tmp|^\/dev\/shm|^http/.test(value) && name !== 'IFS';
      if (harmless || paths || name === 'IFS') continue;
      emit(call, { effect: 'run_opaque', operation: 'environment', targets, residue: [value] });
    } else continue;
    plain = false;
  }
  // Alone they show all there is.
  if (/^(?:set|export|declare|typeset)$/.test(call.tool) && call.args.every((arg) => arg.text === '-p')) {
    emit(call, { effect: 'read', operation: 'environment', flags: ['environment_dump'], scope: 'machine' });
    return { origins: ['secret'] };
  }
  if (call.tool === 'set' && /^\+o$/.test(call.args[0]?.text ?? '') && call.args[1]?.text === 'history') {
    emit(call, { effect: 'security_disable', operation: 'environment' });
    plain = false;
  }
  return plain ? emitNone(call, 'environment') : SILENT;
};

/** A program or file that this line brought, or that lies where nobody keeps any. */
function brought(call: Call, value: string): boolean {
  if (!/^[./~][^\s|;&$`]*$/.test(value) || value.startsWith('/dev/')) return false;
  const { state } = call.invocation;
  return passing(call.invocation, call.meaning.where, value) || state.files.has(target(call, literal(value)).id);
}

/** `GIT_CONFIG_KEY_0=core.fsmonitor GIT_CONFIG_VALUE_0=CMD`: the same as `git -c`. */
function gitSetting(call: Call, name: string, value: string): boolean {
  const number = /^GIT_CONFIG_KEY_(\d+)$/.exec(name)?.[1];
  if (number === undefined || !RUNS.test(value)) return false;
  const prefix = `GIT_CONFIG_VALUE_${number}=`;
  const { state, frame } = call.invocation;
  const given = call.args.find((arg) => arg.text.startsWith(prefix))?.text.slice(prefix.length);
  const command = (given ?? state.exported.get(prefix.slice(0, -1)) ?? '').replace(/^!/, '');
  if (/\s/.test(command)) call.walk.text(command, forkState(state), frame);
  return !/^(?:cat|less|true|)$/.test(command) || given === undefined;
}

/** One of several, as `GOPROXY` lists them. */
function foreignSource(value: string): boolean {
  return value.split(/[,|\s]+/).some((url) => /^\w+:\/\//.test(url) && !KNOWN_INDEX.test(url));
}

export const printenv: Special = (call) => {
  const names = call.given.operands.map((word) => word.text);
  const secret = names.some((name) => SECRET_NAME.test(name));
  const all = names.length === 0;
  emit(call, {
    effect: secret ? 'secret_fetch' : 'read',
    operation: 'environment',
    targets: names.map((name) => plainTarget(`variable:${name}`)),
    flags: all ? ['environment_dump'] : [],
    scope: 'machine',
    systems: ['environment'],
  });
  return { origins: secret || all ? ['secret'] : ['file'] };
};
