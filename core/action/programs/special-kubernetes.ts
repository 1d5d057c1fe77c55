// kubectl by verb, kind and namespace; manifests are named, not opened.

import type { Arg } from '../../shell/values.ts';
import { plainTarget } from '../draft.ts';
import { kubernetesEffect } from '../kubernetes.ts';
import type { Effect } from '../types.ts';
import { type Call, emit, has, optionValue, residueOf, type Special, target } from './call.ts';

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
  const kind = slash ? (kindWord?.text.split('/')[0] as string) : (kindWord?.text ?? '');
  const kinds = kind.split(',');
  const reads =
    call.effect === 'read' ||
    call.operation.startsWith('rollout status') ||
    call.operation.startsWith('rollout history');
  emitManifests(call, files);
  const named = slash
    ? operands.map((word) => word.text)
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
    ...(/prod/i.test(`${namespace} ${context}`) ? ['production'] : []),
    ...(names.length === 0 && !slash && files.length === 0 && verb === 'delete' ? ['bulk'] : []),
  ];
  if (context !== '') targets.push(plainTarget(`cluster:${context}`));
  const effect = reads
    ? readingEffect(call, verb, kinds)
    : files.length > 0
      ? call.effect
      : changingEffect(call, verb, kinds, flags);
  if (!reads && files.some((file) => /^https?:/.test(file.text))) flags.push('from_url');
  if (verb === 'scale' && optionValue(call, '--replicas')?.text === '0') flags.push('scale_to_zero');
  const stdin = call.invocation.frame.stdin.text;
  emit(call, {
    effect,
    operation: verb,
    targets,
    flags,
    residue: reads ? [] : [...residueOf(call), ...(stdin === undefined ? [] : [stdin])],
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

function readingEffect(call: Call, verb: string, kinds: readonly string[]): Effect {
  const text = call.args.map((arg) => arg.text).join(' ');
  const shown = /(?:-o|--output)[ =]?\s*(?:yaml|json|go-template|jsonpath|custom)/.test(text);
  if (verb === 'get' && shown && kinds.some((name) => /^secrets?$/.test(name))) return 'secret_fetch';
  return verb === 'create' || /^auth reconcile/.test(text) ? 'identity_change' : 'read';
}

function changingEffect(call: Call, verb: string, kinds: readonly string[], flags: readonly string[]): Effect {
  const perKind = kinds.map((name) => kubernetesEffect(verb === 'adm' ? 'patch' : verb, name));
  if (perKind.includes('security_disable')) return 'security_disable';
  const many =
    flags.includes('bulk') || call.flags.includes('bulk') || call.flags.includes('all_namespaces') || has(call, '-l');
  if ((verb === 'delete' && many) || verb === 'drain') return 'infra_destroy';
  return perKind.find((one) => one === 'infra_destroy') ?? perKind.find((one) => one !== 'unknown') ?? call.effect;
}

export const KUBERNETES_SPECIALS: { readonly [name: string]: Special } = { kubectl };
