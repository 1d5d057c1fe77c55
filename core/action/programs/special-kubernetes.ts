// kubectl by verb, kind and namespace; manifests are named, not opened.

import type { Arg } from '../../shell/values.ts';
import { plainTarget } from '../draft.ts';
import { graver } from '../effects.ts';
import { kindName, kubernetesEffect, ownerEffect, stageFlags } from '../kubernetes.ts';
import { EVERYBODY, type Insight, lookInto, lookIntoText } from '../kubernetes-object.ts';
import type { Effect } from '../types.ts';
import { byRule, type Call, emit, has, optionValue, residueOf, type Special, target } from './call.ts';

const kubectl: Special = (call) => {
  const words = call.operation.split(' ');
  const verb = (words[0] === 'rollout' || words[0] === 'log' ? words[0] : (words.at(-1) ?? '')).replace(
    /^log$/,
    'logs',
  );
  const namespace =
    optionValue(call, '-n')?.text ??
    optionValue(call, '--namespace')?.text ??
    (call.flags.includes('all_namespaces') ? '*' : 'default');
  const context = optionValue(call, '--context')?.text ?? optionValue(call, '--cluster')?.text ?? '';
  const { operands } = call.given;
  const [kindWord, ...names] = operands;
  const files = call.given.options.get('-f') ?? [];
  const slash = kindWord?.text.includes('/') === true;
  const spelt = slash ? (kindWord?.text.split('/')[0] as string) : (kindWord?.text ?? '');
  const said = manifestOf(call, files);
  const kinds = files.length > 0 ? (said?.kinds ?? []) : spelt.split(',');
  const kind = spelt.split(',').map(kindName).join(',');
  const reads =
    call.effect === 'read' ||
    call.operation.startsWith('rollout status') ||
    call.operation.startsWith('rollout history');
  emitManifests(call, files);
  const named = slash
    ? operands.map((word) => word.text.replace(/^[^/]*/, (text) => kindName(text)))
    : names.length > 0
      ? names.map((word) => `${kind}/${word.text}`)
      : [`${kind}/*`];
  const targets =
    files.length > 0
      ? files.map((file) => ({
          id: `k8s:${namespace}/manifest/${file.text === '-' ? 'stdin' : file.text.replace(/[?#].*$/, '')}`,
          known: file.known,
          glob: false,
        }))
      : named.map((name) => plainTarget(`k8s:${namespace}/${name}`));
  const flags = [
    'remote',
    ...(said?.insight.flags ?? []),
    ...stageFlags(verb, kinds[0] ?? '', [namespace, context, ...(said?.namespaces ?? [])], said?.insight.flags),
    ...(names.length === 0 && !slash && files.length === 0 && verb === 'delete' ? ['bulk'] : []),
  ];
  if (context !== '') targets.push(plainTarget(`cluster:${context}`));
  const changed = files.length > 0 && kinds.length === 0 ? call.effect : changingEffect(call, verb, kinds, flags);
  const insight = reads ? undefined : (said?.insight ?? patchInsight(call, kindName(kinds[0] ?? '')));
  const effect = reads
    ? readingEffect(call, verb, kinds)
    : ownerEffect(insight?.effect ? graver(changed, insight.effect) : changed, [
        namespace,
        ...targets.map((item) => item.id),
      ]);
  if (!reads && files.some((file) => /^https?:/.test(file.text))) flags.push('from_url');
  if (verb === 'scale' && optionValue(call, '--replicas')?.text === '0') flags.push('scale_to_zero');
  const stdin = call.invocation.frame.stdin.text;
  emit(call, {
    effect,
    operation: verb,
    targets,
    flags,
    residue: reads ? [] : [...beside(call), ...(stdin === undefined ? [] : [stdin])],
    metadata: reads,
  });
  return { origins: effect === 'secret_fetch' ? ['secret'] : ['file'] };
};

function emitManifests(call: Call, files: readonly Arg[]): void {
  for (const file of files) {
    const remote = /^https?:/.test(file.text);
    if (file.text !== '-' && !remote)
      emit(call, {
        effect: 'read',
        operation: 'read',
        targets: [target(call, file)],
        scope: undefined,
        systems: ['filesystem'],
        flags: [],
        residue: [],
      });
  }
}

/** What the namespace's place in the target does not say already. */
function beside(call: Call): string[] {
  const options = new Map(call.given.options);
  for (const name of ['-n', '--namespace', '--context']) options.delete(name);
  return residueOf({ ...call, given: { ...call.given, options } });
}

/** A manifest that the line itself holds: on standard input, or written to a file before. */
function manifestOf(call: Call, files: readonly Arg[]): ReturnType<typeof lookIntoText> | undefined {
  const texts = files.map((file) =>
    file.text === '-' ? call.invocation.frame.stdin.text : call.invocation.state.files.get(target(call, file).id)?.text,
  );
  const known = texts.filter((text) => text !== undefined);
  return known.length === 0 ? undefined : lookIntoText(known.join('\n---\n'));
}

/** What `kubectl patch -p`, `kubectl label` and `kubectl create …binding` say by their arguments. */
function patchInsight(call: Call, kind: string): Insight | undefined {
  const words = call.args.map((arg) => arg.text);
  const patch = optionValue(call, '-p')?.text ?? optionValue(call, '--patch')?.text;
  const found = patch === undefined ? undefined : parsed(patch, kind);
  if (found?.effect) return found;
  const unguards = words.some((word) => /^pod-security\.kubernetes\.io\/enforce(?:=privileged|-)$/.test(word));
  const master = words.some((word) => /^(?:--clusterrole=)?(?:cluster-admin|admin|edit)$/.test(word));
  const everybody = words.some((word) => EVERYBODY.test(word.replace(/^--(?:group|user)=/, '')));
  return unguards || (master && everybody) ? { effect: 'security_disable', flags: [], commands: [] } : found;
}

function parsed(patch: string, kind: string): Insight {
  try {
    const value: unknown = JSON.parse(patch);
    return lookInto(kind, { value, ...(typeof value === 'object' && !Array.isArray(value) ? value : {}) });
  } catch {
    return lookIntoText(patch).insight;
  }
}

function readingEffect(call: Call, verb: string, kinds: readonly string[]): Effect {
  const text = call.args.map((arg) => arg.text).join(' ');
  const shown = /(?:-o|--output)[ =]?\s*(?:yaml|json|go-template|jsonpath|custom)/.test(text);
  if (verb === 'get' && shown && kinds.some((name) => /^secrets?$/.test(name))) return 'secret_fetch';
  return verb === 'create' || /^auth reconcile/.test(text) ? 'identity_change' : 'read';
}

function changingEffect(call: Call, verb: string, kinds: readonly string[], flags: readonly string[]): Effect {
  const perKind = kinds.map((name) => kubernetesEffect(verb === 'adm' ? 'patch' : verb, name));
  if (perKind.includes('security_disable')) return 'security_disable';
  const everywhere = kinds.some((name) => name === 'all' || kindName(name) === 'namespace');
  const anywhere = call.flags.includes('all_namespaces') || kinds.some((name) => kindName(name) === 'namespace');
  if (verb === 'delete' && call.flags.includes('bulk') && everywhere && anywhere) return 'disk_destroy';
  const many =
    flags.includes('bulk') || call.flags.includes('bulk') || call.flags.includes('all_namespaces') || has(call, '-l');
  if ((verb === 'delete' && many) || verb === 'drain') return 'infra_destroy';
  return perKind.find((one) => one === 'infra_destroy') ?? perKind.find((one) => one !== 'unknown') ?? call.effect;
}

/** A release is put where its namespace says. */
const helm: Special = (call) => {
  const places = ['-n', '--namespace', '--kube-context'].flatMap((name) => optionValue(call, name)?.text ?? []);
  return byRule({ ...call, flags: [...call.flags, ...stageFlags('apply', 'release', places)] });
};

/** Whoever reaches this machine reaches the service, past whatever guards it. */
const portForward: Special = (call) => {
  const open = call.given.options
    .get('--address')
    ?.some(({ text, known }) => !known || /(?:^|,)(?!localhost|127\.|::1)/.test(text));
  return byRule(open ? { ...call, effect: 'share' } : call);
};

export const KUBERNETES_SPECIALS: { readonly [name: string]: Special } = { kubectl, helm, 'port-forward': portForward };
