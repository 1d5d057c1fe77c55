// What a Kubernetes object says beyond its kind: pods that own their machine, roles for everybody, guards switched off,
// and the commands its containers run. Read from objects, and told as far as can be from manifests as text.

import type { Effect } from './types.ts';

type Loose = { readonly [key: string]: unknown };

export type Insight = {
  /** Graver than what verb and kind say, when there is something. */
  readonly effect?: Effect;
  readonly flags: readonly string[];
  /** Argument lists that containers start with. */
  readonly commands: readonly (readonly string[])[];
};

const MAX_NODES = 4_000;
/** Folders of the machine by which a pod is the machine. */
const WIDE_PATH =
  /^\/(?:$|etc|root|home|boot|proc|sys|dev|var\/?$|var\/(?:run|lib)\/?$|var\/lib\/(?:kubelet|docker|containerd)|(?:var\/)?run\/(?:docker|containerd|crio))/;
const WIDE_POWER = /^(?:CAP_)?(?:ALL|SYS_ADMIN|SYS_MODULE|SYS_PTRACE|SYS_RAWIO|BPF|DAC_READ_SEARCH)$/i;
export const EVERYBODY = /^system:(?:authenticated|unauthenticated|anonymous|serviceaccounts)$/;
const MASTER = /^(?:cluster-admin|admin|edit|system:masters)$/;
const ENFORCE = /^pod-security\.kubernetes\.io\/enforce$/;
/** What lets objects past a guard of the cluster, and what carries secrets into it from a store. */
const EXCEPTION = /^(?:cluster)?policyexception$/;
const CARRIES_SECRETS = /^(?:cluster)?(?:externalsecret|pushsecret|secretstore)$/;
const EXPOSING = /^(?:ingress|httproute|tcproute|gateway|route)$/;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const object = (value: unknown): Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
const strings = (value: unknown): string[] => list(value).filter((item): item is string => typeof item === 'string');

export function lookInto(kind: string, given: Loose): Insight {
  const flags = new Set<string>();
  const commands: string[][] = [];
  let owns = false;
  let nodes = 0;
  const visit = (value: unknown, depth: number): void => {
    nodes += 1;
    if (nodes > MAX_NODES || depth > 24 || typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) visit(item, depth + 1);
      return;
    }
    const one = value as Loose;
    if (one.hostPID === true || one.privileged === true) owns = true;
    if (one.hostNetwork === true || one.hostIPC === true || one.allowPrivilegeEscalation === true)
      flags.add('privileged');
    const path = object(one.hostPath).path;
    if (typeof path === 'string') {
      if (WIDE_PATH.test(path)) owns = true;
      else flags.add('privileged');
    }
    const powers = strings(object(one.capabilities).add);
    if (powers.some((power) => WIDE_POWER.test(power))) owns = true;
    else if (powers.length > 0) flags.add('privileged');
    for (const container of [
      ...list(one.containers),
      ...list(one.initContainers),
      ...list(one.ephemeralContainers),
    ].map(object)) {
      const command = [...strings(container.command), ...strings(container.args)];
      if (command.length > 0 && commands.length < 16) commands.push(command);
    }
    // Probes and hooks of a container run there, too.
    const hook = strings(object(one.exec).command);
    if (hook.length > 0 && commands.length < 16) commands.push(hook);
    for (const item of Object.values(one)) visit(item, depth + 1);
  };
  visit(given, 0);
  if (nodes > MAX_NODES) flags.add('privileged');
  const spec = object(given.spec);
  if (EXPOSING.test(kind) || (kind === 'service' && /^(?:LoadBalancer|NodePort)$/.test(String(spec.type))))
    flags.add('exposes');
  if ((kind === 'networkpolicy' && letsAll(spec)) || CARRIES_SECRETS.test(kind)) flags.add('exposes');
  if (released(given)) return { flags: [...flags], commands, effect: owns ? 'security_disable' : 'infra_destroy' };
  if (EXCEPTION.test(kind)) return { flags: [...flags], commands, effect: 'system_change' };
  const weakens = owns || grantsAll(given) || unguarded(object(object(given.metadata).labels));
  return { flags: [...flags], commands, ...(weakens && { effect: 'security_disable' as const }) };
}

/** A rule without a peer, or whose peer is everybody: policies add up, so that one such undoes the others. */
function letsAll(spec: Loose): boolean {
  // Out to everybody is how most policies leave it.
  return list(spec.ingress)
    .map(object)
    .some(({ from, ports }) => {
      const peers = list(from);
      return peers.length === 0 ? list(ports).length === 0 : peers.map(object).some(isEverybody);
    });
}

function isEverybody({ ipBlock, namespaceSelector, podSelector }: Loose): boolean {
  if (/^(?:0\.0\.0\.0|::)\/0$/.test(String(object(ipBlock).cidr))) return true;
  return namespaceSelector !== undefined && podSelector === undefined && isEmpty(namespaceSelector);
}

const isEmpty = (value: unknown) => Object.keys(object(value)).length === 0;

/** Without its finalizers an object that is being removed is gone at once, whatever still hangs on it. */
function released(given: Loose): boolean {
  const gone = (one: Loose) =>
    Object.hasOwn(one, 'finalizers') && (one.finalizers === null || list(one.finalizers).length === 0);
  const patched = [...list(given.patch), ...list(given.operations)].map(object);
  const taken = patched.some(({ op, path }) => op === 'remove' && /\/finalizers(?:\/|$)/.test(String(path)));
  return taken || gone(object(given.metadata)) || (given.kind === 'Namespace' && gone(object(given.spec)));
}

/** Everybody becomes master. */
function grantsAll(given: Loose): boolean {
  return (
    MASTER.test(String(object(given.roleRef).name)) &&
    list(given.subjects).some((subject) => EVERYBODY.test(String(object(subject).name)))
  );
}

function unguarded(labels: Loose): boolean {
  return Object.entries(labels).some(
    ([name, value]) => ENFORCE.test(name) && (value === 'privileged' || value === null),
  );
}

export type Manifest = {
  readonly kinds: readonly string[];
  readonly namespaces: readonly string[];
  readonly insight: Insight;
};

/** A manifest as text, YAML or JSON, by its telling lines: what it does not say plainly is told by its kind alone. */
export function lookIntoText(text: string): Manifest {
  const all = (name: string) =>
    [...text.matchAll(new RegExp(`(?:^|[\\s{,"'-])${name}["']?\\s{0,8}:\\s{0,8}["']?([^\\s"',}#]{1,253})`, 'gm'))].map(
      (match) => match[1] as string,
    );
  const on = (name: string) => all(name).some((value) => value === 'true');
  const wide = /hostPath/.test(text) && all('path').some((path) => WIDE_PATH.test(path));
  const powers =
    /(?:^|[\s"'-])add["']?\s{0,8}:/m.test(text) && /\b(?:SYS_ADMIN|SYS_MODULE|SYS_PTRACE)\b|["'[\s-]ALL\b/.test(text);
  const everybody = all('name').some((name) => EVERYBODY.test(name)) && all('name').some((name) => MASTER.test(name));
  const enforce = /pod-security\.kubernetes\.io\/enforce["']?\s{0,8}:\s{0,8}["']?privileged/.test(text);
  const weakens = on('privileged') || on('hostPID') || wide || powers || everybody || enforce;
  const flags = [
    ...(on('hostNetwork') || on('hostIPC') || /hostPath/.test(text) ? ['privileged'] : []),
    ...(all('type').some((type) => /^(?:LoadBalancer|NodePort)$/.test(type)) ? ['exposes'] : []),
  ];
  return {
    kinds: all('kind'),
    namespaces: all('namespace'),
    insight: { flags, commands: [], ...(weakens && { effect: 'security_disable' as const }) },
  };
}
