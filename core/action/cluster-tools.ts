// Tools of servers for Kubernetes, read as the verb and object they stand for.

import { literal } from '../shell/values.ts';
import type { Draft } from './draft.ts';
import { readKubernetes } from './kubernetes.ts';
import { commandsIn, type ShellReading } from './shell-action.ts';
import { type Given, isObject, snakeCase, type ToolCall, textOf } from './tool-arguments.ts';

/** A name such as `constructor` is in no table. */
const own = (table: { readonly [name: string]: string }, name: string) =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const only = (drafts: readonly Draft[]): ShellReading => ({ drafts: [...drafts], secrets: [] });

const CLUSTER_VERBS: { readonly [verb: string]: string } = {
  get: 'get',
  list: 'list',
  describe: 'describe',
  log: 'logs',
  logs: 'logs',
  top: 'top',
  events: 'events',
  create: 'create',
  update: 'update',
  apply: 'apply',
  patch: 'patch',
  delete: 'delete',
  scale: 'scale',
  restart: 'rollout',
  rollout: 'rollout',
  label: 'label',
  annotate: 'annotate',
  run: 'run',
  exec: 'exec',
};

/** Tools of a server for Kubernetes: the verb and object they stand for. */
export function inCluster(call: ToolCall, name: string): ShellReading | undefined {
  const { given, where } = call;
  const server = /^(?:kubernetes|k8s|kube|openshift)/.test(snakeCase(call.server));
  const typed = typeof given.kind === 'string' && typeof given.apiVersion === 'string';
  if (!server && !typed) return undefined;
  const words = name.split('_');
  const verb = words.map((word) => own(CLUSTER_VERBS, word)).find((word) => word !== undefined);
  if (verb === undefined) return undefined;
  const noun = words.find((word) =>
    /^(?:pods?|deployments?|namespaces?|nodes?|services?|secrets?|configmaps?|jobs?|events)$/.test(word),
  );
  const command = given.command ?? given.args;
  if (verb === 'exec' && Array.isArray(command)) {
    const read = commandsIn(where)(
      command.filter((word): word is string => typeof word === 'string').map(literal),
      `pod:${textOf(given, 'name pod') ?? ''}`,
    );
    return only(read);
  }
  const inner =
    [given.resource, given.manifest, given.object].find(isObject) ??
    parsedObject(textOf(given, 'resource manifest object'));
  const object: Given = inner ?? { ...given, kind: given.kind ?? kindIn(given) ?? noun ?? '' };
  return only(readKubernetes(verb, object, commandsIn(where)));
}

/** Servers name the kind in an argument of their own, where `resource` is no object. */
function kindIn(given: Given): string | undefined {
  const kind = textOf(
    given,
    'resourceType resource_type resourceKind resource_kind objectType object_type resource type',
  );
  return kind === undefined || /[\s{/]/.test(kind) ? undefined : kind;
}

function parsedObject(text: string | undefined): Given | undefined {
  if (text === undefined || !text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
