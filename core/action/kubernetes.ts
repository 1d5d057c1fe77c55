// Kubernetes objects and verbs, by kubectl, by an API client, over HTTP or by a controller: one reading for all of them.

import { literal } from '../shell/values.ts';
import { type Draft, plainTarget } from './draft.ts';
import { graver, gravity } from './effects.ts';
import { lookInto } from './kubernetes-object.ts';
import { isObject } from './tool-arguments.ts';
import type { Effect } from './types.ts';

const READS = new Set([
  'get',
  'list',
  'watch',
  'describe',
  'logs',
  'top',
  'explain',
  'diff',
  'events',
  'api-resources',
  'version',
  'wait',
  'can-i',
  'whoami',
  'cluster-info',
]);
/** Objects that are a question: making one asks, and keeps nothing. */
const QUESTIONS =
  /^(?:(?:selfsubject|subject|localsubject)accessreview|selfsubjectrulesreview|selfsubjectreview|tokenreview|binding\?)$/;
/** What `kubectl` says in two words. */
const ASKING =
  /^(?:rollout (?:status|history)|auth (?:can-i|whoami)|config (?:view|get-\w+|current-context)|cluster-info dump|api-\w+)$/;
/** Options of what is run inside a pod, posted to it. */
const INSIDE = /^pod(?:exec|attach)option$/;
const CHANGES = new Set(
  'create update patch apply replace scale rollout label annotate set edit expose autoscale cordon uncordon drain taint run'.split(
    ' ',
  ),
);
const GUARDS =
  /^(?:networkpolic|podsecurity|validatingwebhook|mutatingwebhook|validatingadmissionpolic|clusterpolic|constraint|limitrange|resourcequota)/;
const IDENTITY = /^(?:role|clusterrole|rolebinding|clusterrolebinding|serviceaccount|certificatesigningrequest)/;
/** Removing one takes much with it. */
const WIDE =
  /^(?:namespace|node|persistentvolume|persistentvolumeclaim|customresourcedefinition|cluster|storageclass|statefulset|volume)$/;
/** What its owner makes again. */
const REMADE = /^(?:pod|job|replicaset|event|lease|endpoint|endpointslice)$/;
/** One object of these is another cluster. */
const CLUSTER_GROUPS = /^(?:cluster\.x-k8s\.io|provisioning\.cattle\.io|container\.\w+\.crossplane\.io|eks\.\w+)/;
const OURS = /(?:^|[^a-z])beacond?(?:[^a-z]|$)/i;
const GUARD_NAMES =
  /(?:^|[^a-z])(?:gatekeeper|kyverno|falco|tetragon|opa|sysdig|falcon-sensor|wazuh|kubearmor)(?:[^a-z]|$)/i;

const SHORT: { readonly [name: string]: string } = {
  po: 'pod',
  deploy: 'deployment',
  svc: 'service',
  ns: 'namespace',
  no: 'node',
  cm: 'configmap',
  sts: 'statefulset',
  ds: 'daemonset',
  rs: 'replicaset',
  ing: 'ingress',
  pv: 'persistentvolume',
  pvc: 'persistentvolumeclaim',
  sa: 'serviceaccount',
  cj: 'cronjob',
  hpa: 'horizontalpodautoscaler',
  netpol: 'networkpolicy',
  crd: 'customresourcedefinition',
  sc: 'storageclass',
  ep: 'endpoint',
  csr: 'certificatesigningrequest',
};

/** Several of one kind: `SecretList`; an `AllowList` is a kind of its own. */
const LISTS = /^(?!\w*(?:Allow|Deny|Block|White|Black|Access|Pass|Check)List$)[A-Z]\w{1,80}List$/;

/** `pods`, `po`, `Pod` and `pods.v1` are one kind. */
export function kindName(text: string): string {
  const one = LISTS.test(text) ? text.slice(0, -'List'.length) : text;
  const name = one.toLowerCase().split(/[./]/)[0] as string;
  const short = Object.hasOwn(SHORT, name) ? SHORT[name] : undefined;
  if (short !== undefined) return short;
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`;
  if (/(?:ss|ch|x)es$/.test(name)) return name.slice(0, -2);
  return name.endsWith('s') && !name.endsWith('ss') ? name.slice(0, -1) : name;
}

/** The effect of a verb on a kind; kinds in any of kubectl's spellings. */
export function kubernetesEffect(verb: string, kind: string): Effect {
  const name = kindName(kind);
  if (verb === 'create' && QUESTIONS.test(name)) return 'read';
  if (READS.has(verb))
    return name === 'secret' && (verb === 'get' || verb === 'list' || verb === 'watch') ? 'secret_fetch' : 'read';
  if (verb === 'delete' || verb === 'deletecollection') {
    if (GUARDS.test(name)) return 'security_disable';
    return WIDE.test(name) || verb === 'deletecollection' || name === '' || name === 'all'
      ? 'infra_destroy'
      : 'infra_change';
  }
  if (verb === 'impersonate' || verb === 'escalate' || verb === 'bind') return 'identity_change';
  if (verb === 'exec' || verb === 'attach' || verb === 'proxy') return 'run_opaque';
  if (name === 'token') return 'secret_fetch';
  if (IDENTITY.test(name)) return 'identity_change';
  if (name === 'cronjob') return 'schedule';
  return CHANGES.has(verb) ? 'infra_change' : 'unknown';
}

const PRODUCTION = /prod|^live$/i;
const NON_PRODUCTION =
  /(?:^|[-_.:/])(?:stag(?:e|ing)|stg|dev(?:el|elop|elopment)?|test(?:ing|s)?|qa|uat|sandbox|preview|demo|e2e|review|playground|scratch)(?:$|[-_.:/\d])/i;

/**
 * Where it happens, as far as names tell. Outside production only what can be taken back counts as such: making,
 * changing and scaling what runs there, and removing what its owner makes again.
 */
export function stageFlags(
  verb: string,
  kind: string,
  names: readonly string[],
  flags: readonly string[] = [],
): string[] {
  if (names.some((name) => PRODUCTION.test(name))) return ['production'];
  const plain = !flags.includes('privileged') && !flags.includes('exposes') && kindName(kind) !== 'secret';
  const back = CHANGES.has(verb) ? verb !== 'drain' && verb !== 'taint' : REMADE.test(kindName(kind));
  return plain && back && names.some((name) => NON_PRODUCTION.test(name)) ? ['non_production'] : [];
}

/** Whose it is counts before what it is: Beacon's own, and the guards of a cluster. */
export function ownerEffect(effect: Effect, names: readonly string[]): Effect {
  if (gravity(effect) <= gravity('read')) return effect;
  if (names.some((name) => OURS.test(name))) return 'self_governance';
  return names.some((name) => GUARD_NAMES.test(name)) ? graver(effect, 'security_disable') : effect;
}

type Loose = { readonly [key: string]: unknown };
/** What the commands of a container come to; bound by the caller, since this file knows no shell. */
export type ReadCommand = (words: readonly ReturnType<typeof literal>[], remote: string) => readonly Draft[];

/** Fields that a removal does not look at. */
const DESCRIPTION = new Set([
  'apiVersion',
  'kind',
  'metadata',
  'spec',
  'status',
  'data',
  'name',
  'namespace',
  'resource',
]);

const MAX_ITEMS = 256;
const MAX_DEPTH = 3;

/** A list of objects is every object in it; of one that is too long or too deep nobody knows. */
export function readKubernetes(verb: string, object: Loose, read?: ReadCommand, cluster = '', depth = 0): Draft[] {
  const kind = String(object.kind ?? '');
  const items = kind === 'List' || LISTS.test(kind) ? object.items : undefined;
  if (!Array.isArray(items) || items.length === 0) return readObject(verb, object, read, cluster);
  if (items.length > MAX_ITEMS || depth >= MAX_DEPTH)
    return readObject(verb, object, read, cluster).flatMap((draft) => [draft, { ...draft, effect: 'unknown' }]);
  const dry = { ...(object.dryRun !== undefined && { dryRun: object.dryRun }) };
  return items.flatMap((item: unknown) =>
    readKubernetes(
      verb,
      { ...dry, ...(kind === 'List' ? {} : { kind: kind.slice(0, -4) }), ...(isObject(item) ? item : {}) },
      read,
      cluster,
      depth + 1,
    ),
  );
}

function readObject(verb: string, object: Loose, read?: ReadCommand, cluster = ''): Draft[] {
  const kind = kindName(String(object.kind ?? object.resource ?? ''));
  const metadata = (
    typeof object.metadata === 'object' && object.metadata !== null ? object.metadata : object
  ) as Loose;
  const name = String(metadata.name ?? '*');
  const namespace = String(metadata.namespace ?? object.namespace ?? (kind === 'namespace' ? name : 'default'));
  const lower = plainVerb(verb);
  const dry = isDry(object.dryRun) || isDry(object.dry_run);
  const removes = lower === 'delete' || lower === 'deletecollection';
  const insight = lookInto(kind, object);
  const looked = !removes && !READS.has(lower);
  const names = [namespace, name, cluster];
  const inside = commandInside(object);
  if (read && !dry && inside !== undefined && (INSIDE.test(kind) || lower === 'exec')) {
    const drafts = read(inside.map(literal), `pod:${namespace}/${name}`);
    if (drafts.length > 0) return [...drafts];
  }
  let effect = kubernetesEffect(INSIDE.test(kind) ? 'exec' : lower, kind);
  if (looked && insight.effect) effect = graver(effect, insight.effect);
  if (removes && kind === 'cluster' && CLUSTER_GROUPS.test(String(object.apiVersion ?? ''))) effect = 'disk_destroy';
  effect = ownerEffect(effect, [namespace, name]);
  const flags = [
    'remote',
    ...(looked ? insight.flags : []),
    ...(dry ? ['dry_run'] : []),
    ...stageFlags(lower, kind, names, insight.flags),
  ];
  const rest = removes ? Object.fromEntries(Object.entries(object).filter(([key]) => !DESCRIPTION.has(key))) : object;
  const own: Draft = {
    tool: 'kubernetes',
    operation: lower,
    effect: dry ? 'read' : effect,
    targets: [
      plainTarget(`k8s:${kind === 'namespace' ? 'default' : namespace}/${kind}/${name}`),
      ...(cluster === '' ? [] : [plainTarget(`cluster:${cluster}`)]),
    ],
    flags,
    residue: Object.keys(rest).length === 0 ? [] : [JSON.stringify(rest)],
    systems: ['kubernetes'],
    scope: 'remote',
  };
  if (!looked || dry || !read) return [own];
  return [own, ...insight.commands.flatMap((words) => graveOnes(read(words.map(literal), `pod:${namespace}/${name}`)))];
}

/** `rollout restart` rolls out, `rollout status` asks. */
function plainVerb(verb: string): string {
  const lower = verb.toLowerCase().trim().replace(/\s+/g, ' ');
  if (!lower.includes(' ')) return lower;
  return ASKING.test(lower) ? 'describe' : (lower.split(' ')[0] as string);
}

const isDry = (value: unknown) =>
  value === true || (value !== undefined && value !== false && value !== 'None' && value !== null);

/** The words that are run in a pod, wherever a client puts them. */
function commandInside(object: Loose): string[] | undefined {
  const spec = typeof object.spec === 'object' && object.spec !== null ? (object.spec as Loose) : {};
  const words = [object.command, spec.command].find(Array.isArray) as unknown[] | undefined;
  const said = words?.filter((word): word is string => typeof word === 'string');
  return said === undefined || said.length === 0 ? undefined : said;
}

/** Inside a pod only what no pod may do counts: the rest is what the image is for. What is read there is told by its place. */
function graveOnes(drafts: readonly Draft[]): Draft[] {
  return drafts.filter(
    ({ effect, command }) =>
      command !== undefined ||
      effect === 'read' ||
      (gravity(effect) >= gravity('read_credential') && effect !== 'disk_destroy'),
  );
}
