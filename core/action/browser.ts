// Browser actions: looking at pages reads; what is typed, clicked or sent changes something elsewhere.

import type { Draft } from './draft.ts';
import { requestDraft } from './http.ts';
import type { Effect } from './types.ts';
import { isMetadataHost, readUrl, urlTarget } from './urls.ts';

const EFFECTS: readonly (readonly [RegExp, Effect])[] = [
  [/evaluate|run_code|execute|javascript|script/, 'run_opaque'],
  [
    /upload|submit|send|post|publish|confirm|checkout|purchase|buy|pay\b|order|drag|drop|press|fill|type|select|click|check|tap|input/,
    'send',
  ],
  [/navigate|goto|open|visit|go_back|back|forward|reload|refresh|new_tab|tab|fetch/, 'fetch'],
  [
    /snapshot|screenshot|read|extract|get|text|content|wait|scroll|hover|find|console|network|resize|close|title|html|pdf|list/,
    'read',
  ],
];

export function readBrowser(action: string, url: string, given: { readonly [key: string]: unknown }): Draft[] {
  const verb = action.toLowerCase().replace(/^browser_/, '');
  const effect = EFFECTS.find(([pattern]) => pattern.test(verb))?.[1] ?? 'unknown';
  const address = url === '' && typeof given.url === 'string' ? given.url : url;
  const words = /(?:^|[^a-z])(?:pay|buy|purchase|checkout|place order|order now|book now|subscribe)(?:$|[^a-z])/i;
  const label = [given.element, given.text, given.selector, given.label]
    .filter((value) => typeof value === 'string')
    .join(' ');
  const paid = effect === 'send' && (words.test(label) || words.test(verb.replaceAll('_', ' ')));
  const residue = effect === 'read' ? [] : [JSON.stringify(given)];
  if (address !== '' && effect === 'fetch') {
    const draft = requestDraft({ method: 'GET', url: { text: address, known: true }, body: [], tool: 'browser' });
    if (draft)
      return [
        { ...draft, operation: verb.slice(0, 64), ...(address.startsWith('file:') && { effect: 'read' as const }) },
      ];
  }
  const host = readUrl(address)?.host;
  return [
    {
      tool: 'browser',
      operation: verb,
      effect: host !== undefined && isMetadataHost(host) ? 'read_credential' : paid ? 'payment' : effect,
      targets: address === '' ? [] : [urlTarget({ text: address, known: true })],
      flags: ['remote'],
      residue,
      systems: host === undefined ? ['web'] : [host],
      scope: 'remote',
    },
  ];
}
