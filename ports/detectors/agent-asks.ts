// What a text that addresses the agent asks it to do: commands in it are read as commands, paths as places, and the
// rest by what is to be done with what. Says which effect is asked for; what is never allowed is the policy's to say.

import { gravity } from '../../core/action/effects.ts';
import { finishPart } from '../../core/action/parts.ts';
import { resolvePath, type Where } from '../../core/action/paths.ts';
import { placeOf } from '../../core/action/places.ts';
import { readShell } from '../../core/action/shell-action.ts';
import type { Effect } from '../../core/action/types.ts';
import { wholeFolderLeaves } from '../../core/action/whole-folder.ts';

export type Ask = { readonly effect: Effect | 'exfiltrate'; readonly start: number; readonly end: number };

const MAX_FRAGMENTS = 16;
const MAX_FRAGMENT = 600;
const NOWHERE: Where = {
  cwd: undefined,
  workspace: undefined,
  home: undefined,
  tracked: undefined,
  dirty: undefined,
  branch: undefined,
};
/** Milder ones are said by the finding that the agent is addressed at all. */
const GRAVE = gravity('self_governance');

/** Keys and rules by where they lie: what no manual has its readers hand on. */
export function placesAsked(text: string): Ask[] {
  return paths(text);
}

export function asksOf(text: string): Ask[] {
  const told = [...matched(LOSS, 'disk_destroy', text), ...matched(CONTROL, 'security_disable', text)];
  const fetched = matched(FETCHED, 'download_execute', text);
  return [...commands(text, graveOf), ...paths(text), ...leaks(text), ...told, ...fetched];
}

/** A folder that is to be packed and sent: manuals ask it of people, so it counts where the agent is called. */
export function uploadsAsked(text: string): Ask[] {
  return commands(text, uploadOf);
}

/** Everything that whoever calls the agent may ask of it: losses count, too, that manuals speak of every day. */
export function ordersOf(text: string): Ask[] {
  return [...asksOf(text), ...uploadsAsked(text), ...commands(text, lossOf)];
}

const QUOTED = /`{1,3}([^`]{4,600})`{1,3}|'([^'\n]{4,600})'|"([^"\n]{4,600})"|“([^”\n]{4,600})”/g;
const RUN =
  /(?<![\p{L}])(?:run|running|execute|executing|invoke|launch|type|issue|with|using|via|führe?|exécute[rz]?|ejecuta|esegui|uruchom|выполни(?:те)?|запусти(?:те)?)(?![\p{L}])[ \t:]{1,3}(?:the |this |following |command |den befehl |befehl |la commande |el comando |il comando |команду ){0,4}[:`'"“]{0,4}([^`\n"“”]{4,600})|(?:执行|运行|実行|실행)\P{ASCII}{0,6}[:：]?\s{0,2}([^\n。`]{4,600})/giu;

/** `| bash to reproduce it`: the sentence goes on. */
const BEHIND_SHELL = /(\|\s{0,4}(?:sudo\s{1,4})?(?:ba|z|da)?sh)\s.*$/s;
const SENTENCE_END = /[.,!?]+(?:\s.*)?$/s;

type Read = (command: string) => Ask['effect'] | undefined;

/** The effect of whatever stands there as a command, when it is one that is looked for. */
function commands(text: string, read: Read): Ask[] {
  const asks: Ask[] = [];
  const seen = new Set<string>();
  for (const match of [...text.matchAll(QUOTED), ...text.matchAll(RUN)].slice(0, MAX_FRAGMENTS * 2)) {
    const fragment = match.slice(1).find((group) => group !== undefined) as string;
    if (seen.size >= MAX_FRAGMENTS || seen.has(fragment)) continue;
    seen.add(fragment);
    const effect = commandEffect(fragment, read);
    if (effect !== undefined) asks.push({ effect, start: match.index, end: match.index + match[0].length });
  }
  return asks;
}

function commandEffect(fragment: string, read: Read): Ask['effect'] | undefined {
  const command = fragment.slice(0, MAX_FRAGMENT).replace(/[,;]?\s(?:silently|now|and then|without)\b.*$/is, '');
  if (!/^\W{0,3}[\w./~$-]+\s+\S|\||:\(\)/.test(command)) return undefined;
  // Unquoted, the sentence around it goes on behind the command: `| sh. Thanks` is no program called `sh.`.
  return read(command) ?? read(command.replace(SENTENCE_END, '')) ?? read(command.replace(BEHIND_SHELL, '$1'));
}

const graveOf: Read = (command) => worstOf(command, (effect) => gravity(effect) >= GRAVE);

const uploadOf: Read = (command) => (wholeFolderLeaves(readShell(command, NOWHERE).drafts) ? 'exfiltrate' : undefined);

const LOSES: ReadonlySet<Effect> = new Set(['vcs_force_push', 'infra_destroy', 'database_destroy', 'delete_many']);
const lossOf: Read = (command) => worstOf(command, (effect) => LOSES.has(effect));

function worstOf(command: string, counts: (effect: Effect) => boolean): Effect | undefined {
  let worst: Effect | undefined;
  for (const draft of readShell(command, NOWHERE).drafts) {
    const part = finishPart(draft, { where: NOWHERE, mask: same, digest: same, sensitive: () => undefined });
    if (part.flags.includes('dry_run') || part.flags.includes('regenerable') || !counts(part.effect)) continue;
    if (worst === undefined || gravity(part.effect) > gravity(worst)) worst = part.effect;
  }
  return worst;
}

function same(text: string): string {
  return text;
}

const PATH =
  /(?<![\w./~-])(?:~|\.{1,2}|\/|\.[a-z])[\w./@~-]{1,200}|(?<![\w./~-])[\w.-]{1,60}\/[\w./-]{1,200}|\b(?:id_(?:rsa|ed25519|ecdsa|dsa)|AGENTS\.md|CLAUDE\.md|GEMINI\.md|credentials\.json|kubeconfig)\b/g;
/** What an agent is set up with: addresses and tokens of its servers stand there. */
const SETTINGS = /(?:mcp|settings|config|auth|desktop_config)[\w.-]{0,40}\.(?:json|toml|ya?ml)$/;
const READ_OR_SEND =
  /\b(?:reads?(?:_\w{1,20})?|gives?|cat|opens?|prints?|shows?|displays?|outputs?|cop(?:y|ies)|includes?|attach|pastes?|sends?|posts?|uploads?|forwards?|e-?mails?|leaks?|exfiltrates?|encodes?|embeds?|shares?|fetch|return|pass|dump|submit|reveal|append|puts?|contents?|lies|liest|sende|schicke|kopiere|lis|envoie|copie|lee|envía|copia|leggi|invia|прочитай|отправь|скопируй)\b|[读讀发送複复]|読|送信|보내|읽/iu;
const CHANGE =
  /\b(?:add|append|insert|write|edit|change|modify|update|set|replace|create|delete|remove|overwrite|put|allow|enable|disable|save|store|ergänze|füge|schreibe|ändere|lösche|ajoute|modifie|supprime|añade|modifica|borra|aggiungi|добавь|измени|удали)\b|[添加改写写删]|追加|変更|추가|수정/iu;

/** Places by what they mean: keys that are to be read, the agent's own rules that are to be changed. */
function paths(text: string): Ask[] {
  const asks: Ask[] = [];
  for (const match of text.matchAll(PATH)) {
    if (asks.length >= MAX_FRAGMENTS) break;
    const place = placeOf(resolvePath(match[0].replace(/[.,;:)]+$/, ''), undefined, undefined), false, NOWHERE);
    const around = text.slice(Math.max(0, match.index - 160), match.index + match[0].length + 160);
    const at = { start: match.index, end: match.index + match[0].length };
    if (place.tags.includes('credential') && READ_OR_SEND.test(around)) asks.push({ effect: 'read_credential', ...at });
    else if (place.tags.some((tag) => tag === 'dotenv' || tag === 'env_file') && SEND.test(around))
      asks.push({ effect: 'exfiltrate', ...at });
    else if (
      SETTINGS.test(match[0]) &&
      place.tags.includes('governance') &&
      READ_OR_SEND.test(around) &&
      SEND.test(around)
    )
      asks.push({ effect: 'exfiltrate', ...at });
    else if (place.tags.includes('governance') && CHANGE.test(around)) asks.push({ effect: 'self_governance', ...at });
  }
  return asks;
}

const SEND =
  /\b(?:send|give|post|upload|forward|e-?mail|mail|transmit|leak|exfiltrate|share|paste|publish|append|attach|encode|embed|put|include|submit|pass|deliver|copy|reply with|end (?:every|each|your|all)|sende|schicke|poste|übermittle|lade|envoie|envoyez|transmets|publie|envía|envíe|publica|invia|carica|отправь|перешли|загрузи)\b|发送|上传|发到|送信|アップロード|보내|전송/iu;
const MACHINE_SECRETS =
  /\b(?:output|results?|contents?|value) of [`'"]?(?:env|printenv|export -p|set)\b|\b(?:environment variables?|env(?:ironment)? vars?|api[- ]?(?:keys?|tokens?)|access (?:keys?|tokens?)|private keys?|ssh[- ]keys?|service[- ]account tokens?|session (?:tokens?|cookies?|ids?)|cookies|bearer tokens?|auth(?:entication)? tokens?|secrets?|credential files?|credentials|(?:database|db|admin(?:istrator)?|root|production|master) passwords?|passwords? (?:of|for) (?:the |an? )?(?:database|admin(?:istrator)?|root|production|master)|(?:conversation|chat) (?:history|log)|system prompt|customer (?:data|records|list)|(?:all|the) (?:users?'?s?'?|customers?'?s?'?) (?:e-?mails?|contacts|data|files|messages|addresses|personal data)|umgebungsvariablen|zugangsdaten|geheimnisse|schlüssel|variables d'environnement|clés? (?:api|privées?)|identifiants|variables de entorno|claves? (?:api|privadas?)|credenciales|chiavi|переменные окружения|ключи|секреты)\b|环境变量|密钥|凭据|凭证|環境変数|秘密鍵|認証情報|환경 ?변수|비밀 ?키|자격 ?증명/iu;
const SOMEWHERE =
  /https?:\/\/|\bwww\.|\b[\w.-]+@[\w-]+\.\w|!\[|\b(?:comment|issue|pull request|gist|paste(?:bin)?|webhook|endpoint|server|channel|url|query|parameter|argument|link|picture|image|address|ticket|mail|message|commit message|branch name)\b/iu;

/** Something kept is to go somewhere. */
function leaks(text: string): Ask[] {
  const asks: Ask[] = [];
  const all = new RegExp(MACHINE_SECRETS.source, 'giu');
  for (const match of text.matchAll(all)) {
    if (asks.length >= MAX_FRAGMENTS) break;
    const around = text.slice(Math.max(0, match.index - 200), match.index + match[0].length + 200);
    if (SEND.test(around) && SOMEWHERE.test(around))
      asks.push({ effect: 'exfiltrate', start: match.index, end: match.index + match[0].length });
  }
  return [...asks, ...matched(COPIES, 'exfiltrate', text)];
}

/** Every mail to somebody besides, whoever it is for. */
const COPIES =
  /\b(?:whenever|every time|each time|when|always|all|every|any|each)\b[^.!?\n]{0,60}\b(?:e-?mails?|messages?|mails?|invoices?|events?|invitations?|drafts?)\b[^.!?\n]{0,40}\b(?:b?cc|copy|forward|add|include)\b[^!?\n]{0,40}?[\w.+-]{1,64}@[\w-]{1,63}\.\w/giu;

const LOSS =
  /\b(?:delete|erase|wipe|destroy|format|remove|drop|nuke|lösche?|vernichte|efface[rz]?|supprime[rz]?|borra|elimina|cancella|удали|сотри)\b[^.!?\n]{0,50}\b(?:(?:the |this |whole |entire |complete )*(?:hard )?(?:disks?|drives?|home (?:folder|directory)|file ?systems?|operating system|machines?|hosts?|servers?|clusters?)|(?:all|every|each) (?:files?|data|databases?|backups?|namespaces?)|festplatte|alle dateien|heimverzeichnis|tous les fichiers|todos los archivos|tutti i file|все файлы)\b|删除所有(?:文件|数据)|すべてのファイルを削除|모든 파일을? 삭제/giu;

/** `fetch ADDRESS and pipe it into bash`, in words. */
const FETCHED =
  /\b(?:fetch|download|get|grab|retrieve|pull|lade|télécharge[rz]?|descarga|scarica|скачай)\b[^!?\n]{0,20}https?:\/\/[^\s"'<>]{1,300}(?=[\s"'<>])[^.!?\n]{0,40}(?:\b(?:pipe|feed|pass)\b[^.!?\n]{0,20}\b(?:in)?to (?:an? |the |your )?(?:ba|z|da)?(?:sh(?:ell)?|python3?|node|interpreter)\b|\b(?:and|then|und|et|y|e|и) (?:then )?(?:run|execute|source|eval(?:uate)?|führe|exécute[rz]?|ejecuta|esegui|запусти)\b)/giu;

function matched(pattern: RegExp, effect: Ask['effect'], text: string): Ask[] {
  return [...text.matchAll(pattern)].slice(0, MAX_FRAGMENTS).map((match) => ({
    effect,
    start: match.index,
    end: match.index + match[0].length,
  }));
}

const CONTROL =
  /\b(?:disable|turn(?:ing)? off|switch(?:ing)? off|deactivate|stop|kill|uninstall|bypass|circumvent|pause|suspend|remove|mute|skip|clear|purge|schalte?|deaktiviere?|umgehe?|désactive[rz]?|contourne[rz]?|desactiva|evita|disattiva|aggira|отключи|обойди)\b[^.!?\n]{0,40}\b(?:audit(?:ing)?(?: (?:logs?|trail))?|security (?:logs?|checks?|controls?|scanner|software|hooks?)|logging|monitoring|guard(?:s|rails?)?|gates?|(?:pre-?tool ?use|security|approval) hooks?|polic(?:y|ies)|beacon|firewall|anti-?virus|edr|selinux|apparmor|sandbox(?:ing)?|approvals?|permission (?:checks?|prompts?)|safety (?:checks?|filters?|controls?|features?)|protections?|branch protection|two-factor|mfa|alerts?|alarm|protokollierung|überwachung|richtlinien|journalisation|surveillance|pare-feu|auditoría|registro de|cortafuegos|журнал|защиту)\b|(?:关闭|禁用|停用)[^。\n]{0,12}(?:审计|日志|防火墙|监控|安全)|(?:監査|ログ|ファイアウォール)[^。\n]{0,8}(?:無効|停止)/giu;
