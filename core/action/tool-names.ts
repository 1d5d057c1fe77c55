// The words of a tool's name, whatever convention it was written in: brands are one word, what only says where a tool
// comes from is left out, the verb may stand in an argument.

import { type Given, isObject, snakeCase } from './tool-arguments.ts';

/** Brands that a split at capitals or hyphens takes apart, some of them into verbs: SharePoint shares nothing. */
const BRANDS = new RegExp(
  `(^|_)(${'share_point git_hub git_lab pay_pal hub_spot click_up mail_chimp send_grid linked_in you_tube face_book whats_app air_table type_form word_press woo_commerce docu_sign pager_duty ops_genie data_dog new_relic cloud_flare quick_books fresh_desk help_scout zen_desk service_now one_drive drop_box mongo_db dynamo_db big_query postgre_sql my_sql couch_base cloud_watch cloud_trail cloud_front tik_tok sound_cloud pipe_drive log_rocket post_hog post_mark mix_panel read_wise read_me mark_down java_script launch_darkly quick_base link_tree rocket_chat team_city circle_ci open_search elastic_search send_bird trust_pilot face_time'.split(' ').join('|')})(?=_|$)`,
  'g',
);
/** Where a tool comes from, in front of its name. */
const ORIGINS = new Set(
  'mcp api tool tools function functions fn plugin plugins n8n nodes base aws arn states sdk google microsoft ms lc langchain composio pipedream zapier workato default activity'.split(
    ' ',
  ),
);
const METHODS: ReadonlyMap<string, string> = new Map([
  ['post', 'create'],
  ['put', 'update'],
  ['patch', 'update'],
]);
const MAX_SAID = 64;

/** Lower snake case in which brands are one word. */
export const plainName = (name: string): string => joined(snakeCase(name));

/** The same of what is lower snake case already. */
export function joined(text: string): string {
  return text.includes('_')
    ? text.replace(BRANDS, (_all, before: string, brand: string) => before + brand.replaceAll('_', ''))
    : text;
}

/** Several words that are one verb, and verbs of looking that do something with what stands behind them. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/^get_rid_of(?=_|$)/, 'delete'],
  [
    /^check_in(?=$|_(?:passengers?|guests?|flights?|patients?|visitors?|attendees?|hotel|equipment|items?)(?:_|$))/,
    'submit',
  ],
  [/^check_out(?=$|_(?:carts?|orders?|baskets?|guests?|items?|room)(?:_|$))/, 'checkout'],
  [
    /^(?:ping|poll|ask)(?=_(?:users?|people|customers?|team|channel|employees?|everyone|members?|contacts?)$)/,
    'notify',
  ],
  [
    /^convert(?=_(?:\w+_)?(?:leads?|prospects?|trials?|quotes?|estimates?|opportunit(?:y|ies)|carts?|drafts?)(?:_|$))/,
    'change',
  ],
  [
    /^list(?=_(?:\w+_)?(?:for_(?:sale|rent)|on_(?:market(?:place)?|exchange|ebay|etsy|amazon|airbnb))(?:_|$))/,
    'publish',
  ],
];

function phrased(name: string): string {
  const found = PHRASES.find(([words]) => words.test(name));
  return found ? name.replace(found[0], found[1]) : name;
}

/**
 * The name without its server's (`slack_post_message` of slack) and without what says where it comes from. A name made
 * from an API (`API-post-page`) begins with a method: it creates unless what is posted is a question.
 */
export function bareName(name: string, server: string, questions: ReadonlySet<string>): string {
  const words = name.split('_');
  const own = new Set(server.split('_'));
  let at = 0;
  while (
    at < words.length - 1 &&
    (ORIGINS.has(words[at] as string) || (own.has(words[at] as string) && !METHODS.has(words[at] as string)))
  )
    at += 1;
  const rest = words.slice(at);
  const made = at > 0 && words[at - 1] === 'api' ? METHODS.get(rest[0] as string) : undefined;
  if (made === undefined) return phrased(rest.join('_'));
  const asked = rest.slice(1).find((word) => questions.has(word));
  return asked === undefined ? [made, ...rest.slice(1)].join('_') : rest.slice(1).join('_');
}

/** The deed that an argument names: `{operation: 'deleteRecord'}`, `{action: {type: 'screenshot'}}`, with its object. */
export function saidDeed(given: Given): string | undefined {
  const word = (value: unknown) =>
    typeof value === 'string' && value.length <= MAX_SAID && /^[A-Za-z][\w.\- ]*$/.test(value)
      ? plainName(value)
      : undefined;
  for (const key of ['operation', 'action', 'op', 'method', 'verb', 'action_type', 'operation_type', 'mode']) {
    const value = isObject(given[key]) ? (given[key] as Given).type : given[key];
    const deed = word(value);
    if (deed === undefined) continue;
    if (deed === 'select' && [given.table, given.collection, given.from].some((from) => from !== undefined))
      return 'query';
    // Object mappers take a record away under the name that files have for it.
    if (deed === 'unlink' && given.model !== undefined) return 'delete_record';
    const noun = word(given.resource ?? given.resourceType ?? given.resource_type ?? given.object_type ?? given.entity);
    return noun === undefined || deed.includes(noun) ? deed : `${deed}_${noun}`;
  }
  return undefined;
}
