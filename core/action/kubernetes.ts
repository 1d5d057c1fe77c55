// Kubernetes objects and verbs, by kubectl, by an API client or by a controller.

import { type Draft, plainTarget } from './draft.ts';
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
]);
const GUARDS =
  /^(?:networkpolic|podsecurity|validatingwebhook|mutatingwebhook|validatingadmissionpolic|clusterpolic|constraint|limitrange|resourcequota)/;
const IDENTITY = /^(?:role|clusterrole|rolebinding|clusterrolebinding|serviceaccount|certificatesigningrequest)/;
/** Removing one takes much with it. */
const WIDE =
  /^(?:namespaces?|ns|nodes?|no|persistentvolumes?|pv|persistentvolumeclaims?|pvc|customresourcedefinitions?|crds?|clusters?|storageclass(?:es)?|statefulsets?|sts|volumes?)$/;

/** The effect of a verb on a kind; kinds in any of kubectl's spellings. */
export function kubernetesEffect(verb: string, kind: string): Effect {
  const name = kind.toLowerCase().split(/[./]/)[0] as string;
  if (READS.has(verb))
    return /^secrets?$/.test(name) && (verb === 'get' || verb === 'list' || verb === 'watch') ? 'secret_fetch' : 'read';
  if (verb === 'delete' || verb === 'deletecollection') {
    if (GUARDS.test(name)) return 'security_disable';
    return WIDE.test(name) || verb === 'deletecollection' || name === '' || name === 'all'
      ? 'infra_destroy'
      : 'infra_change';
  }
  if (verb === 'impersonate' || verb === 'escalate' || verb === 'bind') return 'identity_change';
  if (verb === 'exec' || verb === 'attach' || verb === 'proxy') return 'run_opaque';
  if (IDENTITY.test(name)) return 'identity_change';
  if (/^cronjobs?$/.test(name)) return 'schedule';
  return [
    'create',
    'update',
    'patch',
    'apply',
    'replace',
    'scale',
    'rollout',
    'label',
    'annotate',
    'set',
    'edit',
    'expose',
    'autoscale',
    'cordon',
    'uncordon',
    'drain',
    'taint',
  ].includes(verb)
    ? 'infra_change'
    : 'unknown';
}

type Loose = { readonly [key: string]: unknown };

export function readKubernetes(verb: string, object: Loose): Draft[] {
  const kind = String(object.kind ?? object.resource ?? '');
  const metadata = (
    typeof object.metadata === 'object' && object.metadata !== null ? object.metadata : object
  ) as Loose;
  const name = String(metadata.name ?? '*');
  const namespace = String(metadata.namespace ?? 'default');
  const lower = verb.toLowerCase();
  const flags = ['remote'];
  const text = JSON.stringify(object);
  if (/"(?:privileged|hostPID|hostNetwork|hostIPC|allowPrivilegeEscalation)":true|"hostPath":/.test(text))
    flags.push('privileged');
  if (Array.isArray(object.dryRun) || object.dryRun === 'All' || object.dry_run === true) flags.push('dry_run');
  if (/prod/i.test(namespace)) flags.push('production');
  const effect = flags.includes('dry_run') ? 'read' : kubernetesEffect(lower, kind);
  return [
    {
      tool: 'kubernetes',
      operation: lower,
      effect,
      targets: [plainTarget(`k8s:${namespace}/${kind.toLowerCase()}/${name}`)],
      flags,
      residue: [text],
      systems: ['kubernetes'],
      scope: 'remote',
    },
  ];
}
