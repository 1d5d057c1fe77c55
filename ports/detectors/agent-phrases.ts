// How a text says that it is meant for the agent: words by language, and the shapes of false turns. Data and its patterns.

/** Verbs of leaving aside, nouns for what an agent was told, and words for which of it: all three in one sentence. */
type Override = { readonly leave: string; readonly told: string; readonly which: string };

const OVERRIDES: readonly Override[] = [
  {
    leave: String.raw`\b(?:ignor(?:e|ing)|disregard|forget|override|overrule|bypass|do not follow|don't follow|stop following|discard)\b`,
    told: String.raw`\b(?:instructions?|prompts?|rules|guidelines?|directives?|directions|guardrails|constraints|system message|safety (?:policy|policies|rules))\b`,
    which: String.raw`\b(?:previous|prior|above|earlier|preceding|all|any|your|existing|original|initial|system|foregoing)\b`,
  },
  {
    leave: String.raw`\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*|übergeh\w*)\b`,
    told: String.raw`\b(?:anweisung\w*|instruktion\w*|regeln|vorgaben|prompts?|befehle)\b`,
    which: String.raw`\b(?:vorherig\w*|bisherig\w*|obig\w*|vorig\w*|alle|deine|ihre|früher\w*)\b`,
  },
  {
    leave: String.raw`\b(?:ignore[rz]?|oublie[rz]?|ne tiens pas compte|ne tenez pas compte|fais abstraction)\b`,
    told: String.raw`\b(?:instructions?|consignes?|règles|directives?|ordres)\b`,
    which: String.raw`\b(?:précédente?s?|antérieure?s?|ci-dessus|toutes|tes|vos)\b`,
  },
  {
    leave: String.raw`\b(?:ignora[rd]?|ignore|olvida[rd]?|olvide|desestima|esqueça|esquece|desconsidere|dimentica|tralascia)\b`,
    told: String.raw`\b(?:instrucciones|reglas|indicaciones|órdenes|instruções|regras|ordens|istruzioni|regole|direttive)\b`,
    which: String.raw`\b(?:anterior(?:es)?|previas?|todas|tus|sus|prévias|suas|precedenti|tutte|tue)\b`,
  },
  {
    leave: String.raw`\b(?:negeer|vergeet|ignorera|glöm|ignorer|glem|zignoruj|zapomnij|pomiń|yok say|unut|görmezden gel|abaikan|lupakan|bỏ qua)`,
    told: String.raw`\b(?:instructies|regels|instruktioner\w*|regler\w*|instrukcj\w*|polece\w*|talimat\w*|kural\w*|instruksi|aturan|hướng dẫn|chỉ dẫn)`,
    which: String.raw`\b(?:vorige|eerdere|alle|je|tidigare|föregående|alla|dine|tidligere|poprzedni\w*|wszystkie|wcześniejsz\w*|önceki|tüm|sebelumnya|semua|trước)`,
  },
  {
    leave: '(?:игнорируй|проигнорируй|забудь|не обращай внимания на|не учитывай|ігноруй|забудьте|игнорируйте)',
    told: '(?:инструкци|указани|правил|команд|вказівк|інструкці)',
    which: '(?:предыдущ|прежн|все|всё|ранее|свои|попередн|усі)',
  },
  {
    leave: '(?:忽略|无视|無視|忘记|忘掉|忘れ|不要理会|不要遵守|従わない|従うな)',
    told: '(?:指令|指示|提示|规则|規則|命令|ルール|プロンプト)',
    which: '(?:之前|以上|先前|前面|上面|所有|一切|以前|前の|上記|これまで|すべて|全て|あなたの)',
  },
  { leave: '(?:무시|잊어|잊으)', told: '(?:지시|명령|규칙|프롬프트|지침)', which: '(?:이전|위의|앞의|모든|기존)' },
  { leave: '(?:تجاهل|انس|تخط)', told: '(?:تعليمات|أوامر|قواعد)', which: '(?:السابقة|أعلاه|جميع|كل)' },
  { leave: '(?:अनदेखा|भूल|नज़रअंदाज़)', told: '(?:निर्देश|नियम|आदेश)', which: '(?:पिछले|सभी|पहले|उपरोक्त)' },
  { leave: '(?:התעלם|שכח)', told: '(?:הוראות|הנחיות|כללים)', which: '(?:הקודמות|כל|קודמות)' },
];

/** How far apart the three may stand, in UTF-16 code units. */
export const REACH = 90;
export const OVERRIDE_PATTERNS = OVERRIDES.map(({ leave, told, which }) => ({
  leave: wordwise(leave, 'giu'),
  told: wordwise(told, 'iu'),
  which: wordwise(which, 'iu'),
}));

/** `\b` knows ASCII letters alone. */
function wordwise(pattern: string, flags: string): RegExp {
  return new RegExp(pattern.replace(/^\\b/, '(?<!\\p{L})').replace(/\\b$/, '(?!\\p{L})'), flags);
}

const AGENT = String.raw`(?:(?:ai|llm|artificial intelligence|language model|coding|autonomous|ki|ia)[ -]?(?:assistant|agent|model|system|bot|tool|helper|reader|assistent|assistenz)?(?:en|s)?|(?:ai)?(?:助手|助理|智能体|アシスタント|エージェント)|assistant|agent|chat ?bot|copilot|claude(?: code)?|codex|chatgpt|gpt-?\d?\w{0,3}|gemini|large language models?|llms?|assistent|asistente|assistente|агент|ассистент|помощник|助手|助理|アシスタント|에이전트|어시스턴트)`;
const OPEN = String.raw`(?:^|[.!?\n>"'([=:;*#/|–—-]\s{0,4}|\bto\s(?:the|all|any|every|whichever)\s|\bas\s(?:an?|the)\s(?:helpful\s)?|\bif\syou(?:'re|\sare)\s(?:(?:an?|the|any)\s)?|\b(?:dear|hey|hello|hi|attention|note|notice|message|instructions?|important|warning|reminder|advice|task|todo|liebe[rs]?|cher|chère|estimad[oa]|caro|уважаемый)\s{1,3}(?:to|for|an|für|pour|para|per|для)?\s{0,3}(?:the|all|any|every|alle)?\s{0,3})`;
/** A call at the agent by name, with something that it should do behind it. */
export const VOCATIVE = new RegExp(
  `${OPEN}@?(?<![\\w@-])${AGENT}(?:(?:,[ \\t]{1,3}|[ \\t]{1,3}(?:and|or|und|y|et|&)[ \\t]{1,3})${AGENT}){0,4}(?:[ \\t]{1,3}(?:agents?|assistants?|instructions?|models?|only|reading|processing|that read|who read|working|when)[^.:,\\n]{0,40})?[ \\t]{0,2}(?:[:,!](?=\\s|$|[\\u3040-\\u9fff\\uac00-\\ud7af])|[，：、]|[-–—]{1,2} )[ \\t]{0,3}`,
  'gimu',
);
/** A duty laid on the agent, or a request to it, in the middle of a sentence: it weighs where something grave is asked for. */
export const DUTY = new RegExp(
  `(?<![\\w@-])@?${AGENT}(?![\\w-])[^.!?\\n]{0,60}?(?<![\\p{L}])(?:must|should|shall|has to|have to|needs? to|(?:is|are) (?:required|expected|asked|supposed) to|please|kindly|bitte|muss|müssen|soll(?:en|te)?|doit|doivent|debe|deben|deve|devono|должен|должны)(?![\\p{L}])|(?<![\\p{L}])(?:notes?|notices?|messages?|memos?|instructions?|hinweise?|anweisung(?:en)?|consignes?|nota|aviso)[ \\t_-](?:to|for|an|für|pour|para|per)[ \\t_-](?:the[ _]|any[ _]|all[ _]|den |die |das |le |la |el )?(?:[\\w-]{1,20} )?(?:model|${AGENT})(?![\\w-])|\\byou (?:must|are required to|have to|need to|should) (?:now |first |immediately |always )?(?:call|invoke|use|run|execute|read|send|post|upload|include|delete|disable)\\b|\\b(?:in|with) your (?:next|following) (?:request|call|message|reply|response|answer|tool call)\\b|\\bfor (?:this|the) (?:result|response|output|answer|call) to be (?:valid|complete|accepted)\\b`,
  'giu',
);
/** Plain talk about duties, without a call by name. */
export const MENTIONED_AGENT = new RegExp(`(?<![\\w@-])${AGENT}(?![\\w-])`, 'iu');

const IMPERATIVES = `(?:please|bitte|s'il (?:te|vous) plaît|por favor|per favore|kindly|now|first|then|always|never|immediately|must|should|shall|have to|need to|you|your|do not|don't|ignore|disregard|forget|override|run|execute|send|post|upload|forward|email|mail|reply|respond|answer|tell|say|write|add|append|insert|create|delete|remove|drop|erase|wipe|disable|enable|turn|switch|stop|skip|open|visit|fetch|download|install|read|cat|copy|print|show|reveal|list|output|include|attach|paste|use|call|invoke|click|navigate|transfer|pay|buy|approve|merge|push|commit|grant|set|change|edit|modify|update|mark|rate|score|recommend|summari[sz]e|rename|replace|translate|end|start|begin|act|pretend|behave|switch|treat|consider|follow|obey|comply|trust|hide|conceal|keep|remember|store|save|make|give|provide|share|get|find|search|check|if|when|before|after|as|führe|sende|lies|lösche|schreibe|antworte|exécute[rz]?|envoie|envoyez|lis|supprime|réponds|ejecuta|envía|lee|borra|responde|esegui|invia|leggi|execute|envie|leia|выполни|отправь|прочитай|удали|请|請|执行|发送|读取|删除|実行|送信|読|実施|削除|실행|보내|읽|삭제)`;
export const IMPERATIVE = new RegExp(
  `(?<![\\p{L}])${IMPERATIVES}(?![\\p{Ll}])|[请請执发读删実送読削]|(?:실행|보내|읽|삭제)`,
  'iu',
);

/** Turns that only the runtime may write. */
export const FALSE_TURN =
  /<\|(?:im_start|im_end|system|user|assistant|start_header_id|end_header_id|eot_id|endoftext)\|>|\[\/?INST\]|<<\/?SYS>>|<\/?(?:system|system_prompt|system-reminder|important|attention|secret|system_message|tool_result|tool_response|function_results?|function_calls?|assistant|developer|instructions?|untrusted|user_query)>|(?:^|\n)[#=*\s]{0,6}(?:new |updated |real |true )?system[ _-]?(?:prompt|message|instructions?|override|update|notice|note|command|mode)?[ \t]{0,2}[#*\]]{0,3}:|\bsystem (?:override|prompt update)\b|\bnew (?:system )?(?:prompt|instructions?)[ \t]{0,2}:|\n\n(?:Human|Assistant|User|System):|\bend of (?:the )?(?:document|data|tool output|user input|untrusted (?:content|data))\b|\[(?:system|developer|admin)(?: (?:message|note|prompt|override))?\]|\b(?:message|note|notice|instructions?|order|directive) from (?:the )?(?:system|developers?|administrators?|admins?|anthropic|openai|google|microsoft|security team|it (?:department|team)|platform)\b/gi;

/** Being told to keep it from the person the agent works for. */
export const CONCEAL =
  /\b(?:do not|don't|never|must not|without) (?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|alert(?:ing)?|notify(?:ing)?|warn(?:ing)?|ask(?:ing)?|reveal(?:ing)?|show(?:ing)?|disclos(?:e|ing)|report(?:ing)?|let(?:ting)?)\b[^.!?\n]{0,50}\b(?:users?|humans?|operators?|owners?|anyone|anybody|principal|developer|customer)\b|\b(?:hide|conceal|keep) (?:this|that|it|the fact)\b[^.!?\n]{0,40}\b(?:from (?:the )?(?:users?|humans?|operator)|you were told|secret)\b|\b(?:delete|remove|erase) this (?:message|note|comment|text|instruction|line)\b|\bso that (?:the user|nobody|no one) (?:notices?|sees?|knows?)\b|\bsag(?:e|en sie)? (?:es |das |dies )?(?:dem|der) (?:nutzer|benutzer|anwender)\w* (?:nichts|nicht)|\bne (?:le )?(?:dis|dites|mentionne|mentionnez|prévenez|préviens)[^.\n]{0,20}(?:utilisateur|personne)|\bno (?:le )?(?:digas|menciones|informes|avises)[^.\n]{0,20}(?:usuario|nadie)|\bnon (?:dire|dirlo|menzionare)[^.\n]{0,20}(?:utente|nessuno)|не (?:говори|сообщай|рассказывай)[^.\n]{0,20}(?:пользовател|никому)|不要(?:告诉|通知|提醒)[^。\n]{0,10}(?:用户|使用者|任何人)|(?:ユーザー|利用者)には?(?:言わない|伝えない|知らせない)|사용자에게 (?:말하지|알리지)/giu;

/** Being given another role, or told that limits are gone. */
export const ROLE =
  /\byou (?:are|have|act)(?: now| hereby)? (?:no|without|free (?:of|from)|unbound by|released from)(?: any| all)?(?: \w+)? (?:restrictions?|limits?|limitations?|rules|filters?|guidelines|constraints)\b|\byou(?:'re| are) (?:now|hereby) (?:in |an? |the |my )?(?:unrestricted|jailbroken|dan\b|developer mode|admin(?:istrator)?|root|authori[sz]ed|an? (?:evil|unfiltered|uncensored|different))|\byou are authori[sz]ed now\b|\b(?:developer|debug|god|maintenance|admin|jailbreak|dan) mode (?:is )?(?:now )?(?:enabled|activated)\b|\bfrom now on,? you (?:are|will|must|have|answer|act)\b|\b(?:pretend|act as (?:if|though)) (?:that )?you (?:are|have|were|had) (?:no|not|an? un)|\bdu bist (?:jetzt|ab sofort|nun) (?:ein|im|frei|ohne)|\btu es maintenant (?:un|en|libre|sans)|\bahora eres\b|\bсейчас ты\b|\bты теперь\b|你现在是|从现在开始你|今から(?:あなた|君)は|너는 이제/giu;

/** Asked by a text of no name, these are a request to whoever reads: a person or an agent that has the person's trust. */
export const WANTS_CREDENTIALS =
  /\b(?:assistant|agent|ai|llm|(?:language )?model|bot) (?:must|should|shall|needs? to|ha(?:s|ve) to|is (?:required|expected) to|will) (?:first |now |then )?(?:enter|type|provide|submit|send|give|reveal|supply|fill in|hand over|disclose)[^.!?\n]{0,40}\b(?:pass(?:word|phrase|code)s?|one[- ]time (?:code|password)|otp|verification code|security code|pin|seed phrase|recovery (?:phrase|codes?)|credentials|log[- ]?in (?:details|data))\b|\b(?:reply|respond|answer|write back|send|email|mail|text|message|forward|tell|give|hand|provide|supply|submit|disclose|share)\b(?: (?:to )?(?:me|us|this (?:mail|message|address|number|chat|thread|e-mail|email)|back))?[^.!?\n]{0,50}\b(?:(?:the user|your user|the owner|your owner|the customer|the account holder|the human)(?:'s|’s)|your|his|her|their|the admin(?:istrator)?(?:'s)?)\b[^.!?\n]{0,30}\b(?:pass(?:word|phrase|code)s?|one[- ]time (?:code|password)|otp|2fa|mfa|verification code|security code|pin(?: code)?|seed phrase|recovery (?:phrase|codes?)|private keys?|log[- ]?in (?:details|data)|credentials)\b|\b(?:senden? sie|schicken? sie|antworten? sie|sende|schick)[^.!?\n]{0,60}\b(?:passwort|kennwort|tan|pin|zugangsdaten)\b|\b(?:envoyez|envoie|répondez|communiquez)[^.!?\n]{0,60}\b(?:mot de passe|code (?:de vérification|pin)|identifiants)\b|\b(?:envía|envíe|responda|responde)[^.!?\n]{0,60}\b(?:contraseña|código de verificación|credenciales)\b|(?:发送|回复|提供)[^。\n]{0,20}(?:密码|验证码|口令)|(?:отправь|пришли|сообщи)\w*[^.\n]{0,40}(?:парол|код подтверждения)/giu;

const AMOUNT = String.raw`(?:(?:[€$£¥]|usd|eur|gbp|chf|btc|eth|usdt?|sol)\s?\d[\d.,' ]{0,14}|\d[\d.,' ]{0,14}\s?(?:[€$£¥]|usd|eur|gbp|chf|btc|eth|usdt?|sol|euros?|dollars?|pounds?)\b)`;
export const WANTS_TRANSFER = new RegExp(
  `\\b(?:transfer|wire|remit|send|pay|überweise\\w*|überweisen sie|virez|transfiere|transfiera|bonifica)\\b[^.!?\\n]{0,40}${AMOUNT}[^!?\\n]{0,60}\\b(?:to|an|auf|à|a|into)\\b[^!?\\n]{0,40}(?:iban|account|wallet|address|konto|compte|cuenta|conto|0x[0-9a-f]{8}|bc1[a-z0-9]{8}|[A-Z]{2}\\d{2}[ A-Z0-9]{10})`,
  'giu',
);

/** A text about such texts: quoted, with words of the trade around it. */
export const ABOUT =
  /\b(?:prompt[- ]?injections?|jailbreak(?:s|ing)?|attack(?:s|er|ers)?|phrases? (?:like|such as)|such as|for example|e\.g\.|example of|examples?:|payloads?|classifier|detect(?:s|ed|or|ion|ing)?|red[- ]team\w*|adversarial|test (?:case|that|for)|sanitis\w*|sanitiz\w*|mitigat\w*|strings? like|zum beispiel|beispiel|angriff\w*|exemple|ejemplo|attaque|ataque)\b/iu;

/** Being given another task, told that the person agreed, or asked for what one was told: said to nobody but an agent. */
export const STEERING =
  /\bas an? (?:ai|llm|(?:large )?language model|artificial intelligence)\b[\w -]{0,30},? you (?:must|have to|shall|need to|should|are (?:required|obliged|expected|instructed) to)\b|\byour (?:new|real|actual|true|updated|only|sole|revised) (?:task|goal|objective|instructions?|role|mission|priority|purpose|orders?)\b\s{0,2}(?:is|are|now|:)|\bthe user (?:has |have |already |previously |explicitly |now ){0,3}(?:authori[sz]ed|approved|granted|consented|permitted|instructed|allowed) (?:you|the (?:assistant|agent|ai|model))\b|\bthe user (?:has |have )?already (?:authori[sz]ed|approved|granted|consented to|permitted|allowed|confirmed) (?:this|it|these|that|everything|all)(?=\s{0,2}(?:[:;,.!\n]|$|so\b|and\b))|\b(?:reveal|print|repeat|show|output|disclose|leak|recite) (?:me |us )?(?:your|the) (?:entire |full |whole |complete ){0,2}(?:system|initial|hidden|original|secret|internal) (?:prompt|instructions?|message|rules|guidelines)\b|\b(?:verify|confirm|validate|update|restore) your (?:account|identity|password|credentials|payment|billing|wallet)\b[^.!?\n]{0,80}https?:\/\//giu;

/** What only somebody who calls tools or answers a user is told; it weighs where something is asked that no manual asks. */
export const NUDGE =
  /\b(?:before|after|when|while|whenever|every time|each time|prior to)\b[^.!?\n]{0,30}\b(?:(?:us|call|invok)(?:e|es|ing)s? (?:this|any|the|another|other|these) (?:\w+ )?(?:tools?|functions?)|(?:respond|answer|reply|summari[sz])(?:s|e|es|ing|ing to|to)?\b)[^.!?\n]{0,60}|\b(?:call|use|invoke|trigger) (?:the )?[\w-]{2,40} tool\b/giu;
