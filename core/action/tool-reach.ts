// Whom a change by a tool reaches: the tenant's own records and people, or somebody else. Where nothing tells, nobody knows.

import type { PartExternality } from '../externality.ts';
import { type Given, isObject, recipientsOf, stageOf } from './tool-arguments.ts';
import { MACHINE_NOUNS, MAIL_NOUNS, noun, RECORD_NOUNS, SAFETY_NOUNS, TALK_NOUNS } from './tool-nouns.ts';
import { type Asker, isDraft, type Named } from './tool-words.ts';

const OWN = { destination_ownership: 'tenant', destination_visibility: 'team' } as const;

/** Changes of a record that its old value takes back, or that a word takes back. */
const ROUTINE = new Set(
  'create add update edit set write put patch upsert insert append modify rename move copy assign unassign label tag untag save mark pin unpin star react complete finish snooze acknowledge ack resolve reopen schedule reschedule adjust log record store remember attach detach link unlink transition change correct reorder increment decrement toggle switch turn flag unflag bookmark favorite like follow vote duplicate clone unarchive restore close archive remove trash apply play skip dim open raise file comment note draft compose prepare submit cancel hold empty clear rate extend fork sync upload request dismiss organize prioritize triage format refresh join highlight'.split(
    ' ',
  ),
);
/** Where the service is known to be nobody's else. */
const WITHIN = new Set(['work', 'chat', 'mind', 'store', 'home', 'forge']);
const OUTGOING = /(?:^|_)(?:send|reply|forward|respond|answer|email|mail|message|notify|broadcast|dm|sms|blast)(?:_|$)/;
/** Changed in a record, these bind, pay or heal: setting them back does not undo it. */
const GRAVE = noun(
  'salary|salaries|compensation|wages?|bonus(?:es)?|prices?|pricing|credit_limits?|limits?|bank_details|bank_accounts?|beneficiar(?:y|ies)|tax(?:es)?|contracts?|doses?|dosage|medications?|prescriptions?|diagnos(?:is|es)|leverage|margin|ownership|billing|fees?|rates?|legal_holds?|consents?|retention(?:_\\w+)?|lifecycle(?:_\\w+)?',
);
/** What would tell if something went wrong. */
const WATCH = noun(
  'alert_rules?|alerting|monitors?|integrations?|notification_polic(?:y|ies)|contact_points?|health_?checks?|detectors?|watchdogs?',
);
const LESSENS = new Set(
  'disable delete remove mute silence pause stop clear deactivate suspend turn skip unsubscribe'.split(' '),
);
const KEEPS = new Set(
  'archive label mark star pin move snooze flag categorize trash tag unstar unpin dismiss'.split(' '),
);
/** Runs on as soon as somebody says so. */
const PLAYS =
  /^(?:start|stop|pause|resume|skip)_(?:\w+_)?(?:timers?|stopwatch|music|songs?|tracks?|playlists?|audio|radio|podcasts?|playback|time_entry|workouts?)$/;
const SENDS = /(?:^|_)(?:send|reply|forward|respond|broadcast|blast)(?:_|$)/;
/** Notes that only colleagues see. */
const INTERNAL = /(?:^|_)(?:internal|private|work)_(?:note|comment|message)s?(?:_|$)|(?:^|_)notes?(?:_|$)/;

/** What is known of the other end; undefined where it stays unknown. */
export function reachOf({ effect, verb }: Named, name: string, asker: Asker): Partial<PartExternality> | undefined {
  const { service, given } = asker;
  if (effect === 'database_change') return service !== undefined && WITHIN.has(service) ? OWN : undefined;
  if (effect !== 'message' && effect !== 'send') return undefined;
  if (verb === 'escalate') return OWN;
  if (GRAVE.test(name) || (LESSENS.has(verb) && WATCH.test(name))) return undefined;
  if (PLAYS.test(name)) return OWN;
  if (madePublic(given) || crosses(given)) return undefined;
  if (isDraft(name, given)) return OWN;
  if (invites(given)) return undefined;
  if (SENDS.test(name) && /(?:^|_)drafts?(?:_|$)/.test(name)) return undefined;
  const recipients = recipientsOf(given).length;
  if (service === 'desk') return deskIsOwn(name, given) ? OWN : undefined;
  if (service === 'mail' || service === 'reach')
    return service === 'mail' && recipients === 0 && ROUTINE.has(verb) && !SENDS.test(name) ? OWN : undefined;
  if (service === 'social') return undefined;
  if (service === 'pay')
    return ROUTINE.has(verb) && /customer|product|contact|metadata|note/.test(name) ? OWN : undefined;
  if (service === 'chat') return recipients === 0 || effect !== 'message' ? OWN : undefined;
  if (service === 'home' && SAFETY_NOUNS.test(`${name} ${placesIn(given)}`)) return undefined;
  if (effect === 'message') {
    if (recipients > 0) return undefined;
    if (service !== undefined && WITHIN.has(service) && ROUTINE.has(verb)) return OWN;
    // Put in order in one's own mailbox, nobody else reads it.
    if (KEEPS.has(verb) && !SENDS.test(name)) return OWN;
    return (TALK_NOUNS.test(name) && !MAIL_NOUNS.test(name)) || teamOnly(name, given) ? OWN : undefined;
  }
  // What can be made again is nobody's loss.
  if (/(?:^|_)caches?(?:_|$)/.test(name)) return OWN;
  const stage = stageOf(given);
  if (!ROUTINE.has(verb) || leavesFor(given, name) !== undefined || stage === 'production') return undefined;
  if (service !== undefined) return WITHIN.has(service) ? OWN : undefined;
  if (stage === 'non_production' && /flag|toggle|setting|config/.test(name)) return OWN;
  return RECORD_NOUNS.test(name) && !MACHINE_NOUNS.test(name) ? OWN : undefined;
}

/** People who are told of it. */
function invites(given: Given): boolean {
  return [
    'attendees',
    'guests',
    'invitees',
    'invitee',
    'participants',
    'to',
    'cc',
    'bcc',
    'recipients',
    'send_to',
  ].some((key) => Array.isArray(given[key]) && (given[key] as unknown[]).length > 0);
}

function madePublic(given: Given): boolean {
  return (
    given.public === true ||
    given.is_public === true ||
    given.isPublic === true ||
    given.anonymous === true ||
    [given.visibility, given.access, given.acl, given.ACL, given.audience].some(
      (value) => typeof value === 'string' && /public|anyone|everyone|world/i.test(value),
    )
  );
}

/** Into another workspace, team or organisation, whosever it is. */
function crosses(given: Given): boolean {
  return Object.keys(given).some((key) =>
    /^(?:target|destination|dest|to)_?(?:workspace|org|organi[sz]ation|tenant|team|account|space|site|domain)/i.test(
      key,
    ),
  );
}

/** Customers read what is answered; notes and fields of a ticket they do not. */
function deskIsOwn(name: string, given: Given): boolean {
  const ticket = isObject(given.ticket) ? given.ticket : given;
  if (isObject(ticket.comment)) return ticket.comment.public === false;
  if (given.public === false || given.internal === true || given.private === true) return true;
  if (typeof given.message_type === 'string' && /note/i.test(given.message_type)) return true;
  if (INTERNAL.test(name)) return true;
  if (OUTGOING.test(name) || /(?:^|_)comments?(?:_|$)/.test(name)) return false;
  return given.comment === undefined && given.body === undefined;
}

/** `#ops`, `team`: people of one's own. */
function teamOnly(name: string, given: Given): boolean {
  const channel = [given.channel, given.channel_name, given.room].find((value) => typeof value === 'string');
  return (
    /(?:^|_)(?:team|slack|teams|channel|oncall|on_call|staff|colleagues?)(?:_|$)/.test(name) &&
    (channel === undefined || /^[#@]?[\w-]+$/.test(channel as string))
  );
}

function placesIn(given: Given): string {
  return ['entity_id', 'entity', 'domain', 'device', 'device_id', 'service', 'area', 'name']
    .flatMap((key) => given[key])
    .filter((value) => typeof value === 'string')
    .join(' ')
    .toLowerCase();
}

/** Hand something on: an address they are given is where to. */
const HANDS_ON =
  /(?:^|_)(?:export|dump|sync|backup|send|upload|push|forward|ship|stream|copy|publish|post|deliver|collect|report|transfer|replicate|mirror)(?:_|$)/;
const DESTINATIONS =
  'destination destination_url destinationUrl webhook webhook_url webhookUrl target_url targetUrl to_url upload_url uploadUrl callback_url sink dest remote_url'.split(
    ' ',
  );

/** An address outside the service that something goes to. */
export function leavesFor(given: Given, name: string): string | undefined {
  const keys = HANDS_ON.test(name) ? [...DESTINATIONS, 'url', 'endpoint', 'target', 'to'] : DESTINATIONS;
  for (const key of keys) {
    const value = given[key];
    if (typeof value === 'string' && /^(?:https?|ftps?|sftp|wss?):\/\//i.test(value)) return value;
  }
  return undefined;
}
