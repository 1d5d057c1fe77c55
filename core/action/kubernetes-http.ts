// Requests to the API server of a cluster, read as the verb and object they are.

import { parseJsonText } from '../strict-json.ts';
import type { Draft } from './draft.ts';
import { readKubernetes } from './kubernetes.ts';
import { type Address, isLocalHost } from './urls.ts';

const SERVER =
  /^kubernetes(?:\.default(?:\.svc(?:\.cluster\.local)?)?)?(?::\d+)?$|(?:^|[.-])k8s[.-]|\.eks\.amazonaws\.com$|\.azmk8s\.io$|:(?:6443|8001|16443)$/;
const GROUPS = /^(?:apps|batch|autoscaling|policy|extensions|[\w-]+(?:\.[\w-]+)*\.k8s\.io|[\w-]+\.x-k8s\.io)$/;
const PATH =
  /^\/(?:api\/v\d\w*|apis\/([\w.-]+)\/v\d\w*)\/(?:namespaces\/([^/]+)\/(?=.))?([a-z]+)(?:\/([^/]+))?(?:\/([a-z]+))?\/?$/;
const VERBS: { readonly [method: string]: string } = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  GET: 'get',
  HEAD: 'get',
};
const SUBRESOURCES: { readonly [name: string]: string } = {
  exec: 'exec',
  attach: 'attach',
  portforward: 'proxy',
  proxy: 'proxy',
  log: 'logs',
  scale: 'scale',
};

export function kubernetesRequest(
  method: string,
  address: Address,
  body: readonly string[],
): readonly Draft[] | undefined {
  const match = PATH.exec(address.path);
  const verb = Object.hasOwn(VERBS, method) ? VERBS[method] : undefined;
  if (!match || verb === undefined) return undefined;
  const [, group, namespace, resource, name, sub] = match as unknown as [
    string,
    string?,
    string?,
    string?,
    string?,
    string?,
  ];
  if (!SERVER.test(address.host) && !(group !== undefined && GROUPS.test(group))) return undefined;
  const said = objectOf(body);
  const metadata = {
    ...(said.metadata as object),
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
  };
  const dry = /(?:^|&)dryRun=All\b/.test(address.query);
  const object = {
    ...said,
    ...(group !== undefined && said.apiVersion === undefined && { apiVersion: group }),
    kind: resource as string,
    metadata,
    ...(dry && { dryRun: true }),
  };
  const plain =
    verb === 'delete' && name === undefined ? 'deletecollection' : verb === 'get' && name === undefined ? 'list' : verb;
  const own = isLocalHost(address.host) || /^kubernetes(?:\.|$|:)/.test(address.host);
  return readKubernetes(
    (sub !== undefined && Object.hasOwn(SUBRESOURCES, sub) ? SUBRESOURCES[sub] : undefined) ?? plain,
    object,
    undefined,
    own ? '' : address.host,
  );
}

function objectOf(body: readonly string[]): { readonly [key: string]: unknown } {
  try {
    const value = parseJsonText(body.join(''), 'body');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as { readonly [key: string]: unknown })
      : {};
  } catch {
    return {};
  }
}
