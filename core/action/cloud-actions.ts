// APIs of clouds that name their deed in a parameter or a header, whatever the method: `GET /?Action=TerminateInstances`.

import type { Service } from './services.ts';
import { plainName } from './tool-names.ts';
import type { Address } from './urls.ts';
import { understood } from './web-services.ts';

const HOSTS = /(?:^|\.)(?:amazonaws\.com(?:\.cn)?|aliyuncs\.com|tencentcloudapi\.com)$/;
const NAMED = /(?:^|&)Action=([A-Za-z][A-Za-z0-9]{1,100})(?:&|$)/;
const MAX_ASKED = 4_096;

/** Undefined where no deed is named. `header`: what `X-Amz-Target` says. */
export function cloudAction(
  method: string,
  { host, query }: Address,
  body: readonly string[],
  header: string | undefined,
): Service | undefined {
  if (!HOSTS.test(host.replace(/:\d+$/, ''))) return undefined;
  const text = body.length === 1 ? (body[0] as string).slice(0, MAX_ASKED) : '';
  const said = [
    NAMED.exec(query)?.[1],
    NAMED.exec(text)?.[1],
    /^[\w.]{1,100}\.([A-Za-z]\w{1,100})$/.exec(header?.trim() ?? '')?.[1],
  ].filter((name) => name !== undefined);
  if (said.length === 0) return undefined;
  // Which of several is heard nobody knows.
  const each = said.map((name) => understood(plainName(name), undefined, {}));
  const unlike = each.find(({ effect }) => effect !== 'fetch');
  if (unlike === undefined) return text.length < MAX_ASKED ? { effect: 'fetch' } : undefined;
  const { effect, flags } = unlike;
  // A word that no list knows changes something there, also where it is asked for by GET.
  if (effect === 'send' || effect === 'fetch') return method === 'GET' ? { effect: 'infra_change', flags } : undefined;
  return { effect, flags };
}
