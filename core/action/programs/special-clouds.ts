// Thousands of cloud commands by their verb and noun; object stores by direction; forge APIs by method.

import { type Arg, joinOrigins, literal, type Origin } from '../../shell/values.ts';
import { type DraftTarget, plainTarget } from '../draft.ts';
import { graver, gravity } from '../effects.ts';
import { fieldsEffect, forgeEffect } from '../forge.ts';
import { effectOfRequest } from '../http.ts';
import { stageFlags } from '../kubernetes.ts';
import { sqlEffect } from '../sql.ts';
import type { Effect } from '../types.ts';
import {
  type Call,
  emit,
  emitNone,
  emitOptionFiles,
  has,
  optionValue,
  residueOf,
  type Special,
  target,
} from './call.ts';
import { payload } from './leaving.ts';
import { fileOrigin } from './special-network.ts';

const READ =
  /^(?:describe|list|get|ls|show|read|view|head|status|info|inspect|search|query|lookup|batch-get|scan|filter|tail|logs?|diff|validate|preview|plan|help|version|whoami|check|test|explain|estimate|simulate|wait|watch|top|ps|history|cat|detect|summarize|count|doctor|ping|health|members|events|metrics|usage|print-access-token|print-identity-token|doc|dump|regions|zones|inventory|synth|synthesize|graph|template|lint|audit|completion|configtest|analy[sz]e|diagnose|proxy-status|proxy-config|ip|start-query)(?:-|$)/;
const DESTROY =
  /^(?:delete|remove|rm|destroy|terminate|purge|drop|deregister|deprovision|nuke|wipe|teardown|undeploy|rb|empty|decommission|abort|release|reset|down|prune|batch-delete|uninstall|unregister|clean|clear)(?:-|$)/;
const CHANGE =
  /^(?:create|update|put|set|modify|start|stop|restart|reboot|run|deploy|apply|add|attach|detach|enable|disable|register|associate|disassociate|import|copy|restore|scale|resize|patch|edit|replace|promote|rollback|invoke|execute|send|trigger|publish-version|tag|untag|move|mv|cp|sync|mb|make|provision|up|push|redeploy|migrate|rename|change|allocate|assign|authorize|revoke|rotate|cancel|submit|approve|reject|install|upgrade|link|unlink|use|config|configure|switch|ssh|exec|failover|suspend|resume|init|new|open|drain|cordon|bootstrap|reconcile|complete|configure-docker|build|release-deploy|remote|local|serve|dev|emulators|web|login|logout|auth|signin|activate|request|subscribe|unsubscribe|join|leave|lock|unlock|merge|snapshot|backup|export|upload|download|load|write|produce|emit|addons|domains|certs|env|vars|secrets|keys)(?:-|$)/;
const IDENTITY =
  /^(?:iam|sts|organizations|sso|sso-admin|identitystore|cognito|cognito-idp|kms|ad|role|roles|user|users|group|groups|policy|policies|service-accounts?|iam-policy|key|keys|login-profile|access-key|members?|invitations?|permissions?|acl|access|rbac)(?:-|$)|(?:-|^)(?:iam-policy-binding|policy-binding|access-keys?|login-profile|role-policy|user-policy|group-policy|assume-role-policy|resource-policy|bucket-policy|bucket-acl|role|user|member|permission|security-group-ingress)(?:-|$)/;
const SECRET =
  /(?:get-secret-value|get-parameter|get-parameters|get-login-password|get-session-token|assume-role|get-authorization-token|print-access-token|print-identity-token|get-access-token|get-credentials|list-keys|show-connection-string|secret show|get-federation-token|export-credentials|generate-db-auth-token|secrets?\b.*\b(?:get|show|access|versions access|download|pull)|env pull|config:get|credentials|get-random-password-none)/;
const PUBLIC =
  /public-read|--allow-unauthenticated|allUsers|allAuthenticatedUsers|"Principal":\s*"\*"|--public-access\b.*(?:blob|container)|--publicly-accessible|0\.0\.0\.0\/0|--public(?:=true|\s|$)/;
const GUARD =
  /(?:cloudtrail|guardduty|config-recorder|configservice|securityhub|password-policy|macie|inspector|flow-logs?|audit-?logs?|log-group|logging|waf|shield|defender|diagnostic-settings|deletion-protection|public-access-block|block-public-access|branch-protection|organization-trail|termination-protection|alarms?|sinks)/;

/** `pg:reset`, `emulators:start`: group and verb in one word. */
function partsOf(tool: string, word: string): string[] {
  return /^(?:heroku|firebase|netlify)$/.test(tool) && /^[a-z-]+(?::[a-z-]+){1,3}$/.test(word)
    ? [word, ...word.split(':')]
    : [word];
}

const STATEMENT =
  /^\s{0,40}(?:DELETE|DROP|TRUNCATE|UPDATE|INSERT|MERGE|ALTER|CREATE|GRANT|REVOKE|EXPORT|BEGIN|WITH|CALL)\s+\S/i;

const cloud: Special = (call) => {
  emitOptionFiles(call);
  const words = call.given.operands.flatMap((word) => partsOf(call.tool, word.text.toLowerCase()));
  const text = [call.operation, ...words].join(' ');
  const all = [call.operation, ...call.args.map((arg) => arg.text)].join(' ');
  if (words.length === 0 && call.tool !== 'vercel') return emitNone(call);
  if (
    /^(?:s3|gsutil|storage|s5cmd|s3cmd|mc|azcopy|b2)$/.test(call.tool) ||
    (call.tool === 'aws' && words[0] === 's3') ||
    (call.tool === 'gcloud' && words[0] === 'storage')
  ) {
    const copied = objectStore(call, words);
    if (copied) return copied;
  }
  const verb = verbOf(call.tool, words);
  const noun = words.filter((word) => word !== verb).join(' ');
  let effect: Effect = 'unknown';
  if (READ.test(verb)) effect = 'read';
  else if (DESTROY.test(verb)) effect = 'infra_destroy';
  else if (CHANGE.test(verb)) effect = 'infra_change';
  else if (/^publish/.test(verb))
    effect = /sns|sqs|eventbridge|pubsub|topic|nats|kafka/.test(`${call.tool} ${text}`) ? 'message' : 'publish';
  else if (/^(?:share|invite)/.test(verb)) effect = 'share';
  else if (/^grant/.test(verb)) effect = 'identity_change';
  // `bq query 'DELETE …'`: what is asked may take away.
  for (const said of [...call.given.operands.map((word) => word.text), call.invocation.frame.stdin.text ?? ''])
    if (effect === 'read' && STATEMENT.test(said)) effect = graver(effect, sqlEffect(said).effect);
  if (
    SECRET.test(text) &&
    (effect === 'read' || effect === 'unknown' || /assume-role|generate-db|get-|versions access/.test(text))
  )
    effect = 'secret_fetch';
  else if (
    effect !== 'read' &&
    (words.some((word) => IDENTITY.test(word)) || /^(?:login|logout|auth|signin|activate)$/.test(verb))
  )
    effect = 'identity_change';
  if (
    effect !== 'read' &&
    effect !== 'secret_fetch' &&
    GUARD.test(`${noun} ${verb}`) &&
    /^(?:delete|stop|disable|update|put|remove|destroy|reset|clear)/.test(verb) &&
    !(/^put/.test(verb) && /=true\b/i.test(all) && !/=false\b/i.test(all))
  )
    effect = 'security_disable';
  if (effect === 'infra_destroy' && wholeCluster(call.tool, words)) effect = 'disk_destroy';
  if (effect !== 'read' && gravity(effect) < gravity('security_disable') && PUBLIC.test(all)) effect = 'share';
  if (
    /^(?:dev|serve|local|emulators|build|synth|test|lint|run-local|start-local)$/.test(verb) ||
    // A stack of containers on this machine.
    (call.tool === 'supabase' && /^(?:start|stop|status)$/.test(words[0] ?? '')) ||
    (/^(?:vercel|netlify|wrangler|firebase|serverless|sls|sam|cdk|amplify)$/.test(call.tool) &&
      /^(?:dev|serve|build|local|emulators|init|types|invoke-local)$/.test(verb))
  )
    effect = 'build';
  if (/^configure$|^config$/.test(words[0] ?? '') && effect !== 'secret_fetch')
    effect = words[1] && READ.test(words[1]) ? 'read' : 'identity_change';
  const production =
    /(?:^|[^a-z])prod(?:uction)?(?:[^a-z]|$)/i.test(all) || has(call, '--prod') || has(call, '--prodIfUnlocked');
  const targets = [plainTarget(`cloud:${call.tool}/${words.slice(0, 6).join('/').slice(0, 160)}`)];
  const named = ['--name', '-n', '--id', '--app', '-a', '--project', '--profile', '--region', '--subscription']
    .flatMap((name) => call.given.options.get(name) ?? [])
    .map((word) => plainTarget(`name:${word.text}`));
  emit(call, {
    effect,
    operation: verb.slice(0, 64) || 'unknown',
    targets: [...targets, ...named],
    systems: [call.tool],
    flags: production ? ['production'] : outsideProduction(call, verb),
    residue: effect === 'read' ? [] : [...residueOf(call, call.given.operands)],
    metadata: effect === 'read',
    ...(effect === 'build' && { scope: 'workspace' as const }),
  });
  return { origins: effect === 'secret_fetch' ? ['secret', 'stored'] : ['file'] };
};

const STAGES = [
  '--env',
  '--environment',
  '--stage',
  '--namespace',
  '-n',
  '--cluster',
  '--app',
  '-a',
  '--service',
  '--profile',
  '-e',
];
const TAKEN_BACK =
  /^(?:update|deploy|redeploy|scale|restart|rollback|start|stop|set|apply|rollout|reload|register-task-definition)(?:-|$)/;

/** Without a word for production they make a preview of their own. */
const PREVIEWS = /^(?:vercel|netlify)$/;

/** Told by an option that names the place, and only for what can be put back. */
function outsideProduction(call: Call, verb: string): string[] {
  if (PREVIEWS.test(call.tool) && /^(?:deploy|redeploy)$/.test(verb)) return ['non_production'];
  if (!TAKEN_BACK.test(verb)) return [];
  return stageFlags(
    'update',
    '',
    STAGES.flatMap((name) => optionValue(call, name)?.text ?? []),
  );
}

/** What the first word of these names is a group of commands, not what is done. */
const GROUPED = /^(?:gcloud|az|aws|oci|ibmcloud|aliyun|doctl)$/;
/** Words that are what is done with one program, and what it is done to with another. */
const NOUN =
  /^(?:backup|snapshot|secrets|config|keys|domains|certs|env|vars|addons|logs|metrics|members|events|access)$/;

function verbOf(tool: string, words: readonly string[]): string {
  const does = (word: string) =>
    READ.test(word) || DESTROY.test(word) || CHANGE.test(word) || /^(?:publish|share|invite|grant)/.test(word);
  // Alone, or with a folder, it deploys.
  if (tool === 'vercel' && !words.some(does)) return 'deploy';
  const inner = GROUPED.test(tool) ? words.slice(1) : words;
  return inner.find((word) => does(word) && !NOUN.test(word)) ?? inner.find(does) ?? words.find(does) ?? '';
}

/** A cluster of machines, with all that runs on it; one of databases alone is a database. */
function wholeCluster(tool: string, words: readonly string[]): boolean {
  if (/^(?:eksctl|kops)$/.test(tool)) return words.includes('cluster');
  return (
    words.slice(0, 2).some((word) => /^(?:container|eks|aks|ce|ks|kubernetes|k8s|oke)$/.test(word)) &&
    (words.includes('aks') || words.some((word) => /^(?:delete-)?clusters?$/.test(word)))
  );
}

function objectStore(call: Call, words: readonly string[]): ReturnType<Special> | undefined {
  const verbAt = words.findIndex((word) =>
    /^(?:cp|mv|sync|rsync|rm|rb|mb|ls|presign|signurl|website|cat|du|stat|copy|upload|upload-file|put|get|del|delete|remove|make|share|mirror|rewrite|acl|iam)$/.test(
      word,
    ),
  );
  const verb = words[verbAt];
  if (verb === undefined) return undefined;
  const operands = aliased(call.tool, verb, call.given.operands.slice(verbAt + 1));
  const remote = objectTargets(operands);
  const flags =
    call.flags.includes('recursive') ||
    words.includes('-r') ||
    call.args.some((arg) => /^-[A-Za-z]*[rR]/.test(arg.text))
      ? ['recursive']
      : [];
  const production = remote.some((item) => /prod/i.test(item.id)) ? ['production'] : [];
  if (/^(?:ls|cat|du|stat|get)$/.test(verb))
    emit(call, { effect: 'read', operation: verb, targets: remote, metadata: true });
  else if (/^(?:rm|rb|del|delete|remove)$/.test(verb))
    emit(call, {
      effect: 'infra_destroy',
      operation: 'delete',
      targets: remote,
      flags: [...flags, ...production],
      residue: residueOf(call),
    });
  else if (/^(?:presign|signurl|website|share|acl|iam)$/.test(verb))
    emit(call, { effect: 'share', operation: verb, targets: remote, residue: residueOf(call, operands) });
  else if (verb === 'mb' || verb === 'make')
    emit(call, { effect: 'infra_change', operation: 'create', targets: remote, residue: residueOf(call) });
  else copyObjects(call, verb, operands, [...flags, ...production]);
  return { origins: ['file'] };
}

/** `mc cp FILE alias/bucket`, `b2 upload-file BUCKET FILE NAME`: where it goes is no address. */
function aliased(tool: string, verb: string, words: readonly Arg[]): readonly Arg[] {
  if (tool === 'b2' && verb === 'upload-file' && words[0] && words[1])
    return [words[1], { ...words[0], text: `b2://${words[0].text}` }];
  if (tool !== 'mc') return words;
  const named = (word: Arg) => /^[\w-]+\/[\w.-]/.test(word.text);
  return words.map((word, at) =>
    at === words.length - 1 && named(word) ? { ...word, text: `s3://${word.text}` } : word,
  );
}

function isObject(text: string): boolean {
  return /^(?:s3|gs|az|wasbs?|abfss?|https?|b2|oss|oci|r2):\/\//.test(text);
}

function objectTargets(words: readonly Arg[]): DraftTarget[] {
  return words
    .filter((word) => isObject(word.text))
    .map((word) => ({ id: `object:${word.text.replace(/[?#].*$/, '')}`, known: word.known, glob: word.glob }));
}

/** Up, down or across: the last operand is where it goes. */
function copyObjects(call: Call, verb: string, operands: readonly Arg[], flags: readonly string[]): void {
  const remote = objectTargets(operands);
  const local = operands.filter((word) => !isObject(word.text));
  const last = operands.at(-1);
  const uploads = last !== undefined && isObject(last.text);
  const sources = operands.slice(0, -1).filter((word) => !isObject(word.text));
  if (sources.length > 0)
    emit(call, {
      effect: 'read',
      operation: 'read',
      targets: sources.map((word) => target(call, word)),
      flags: ['recursive'],
      scope: undefined,
      systems: ['filesystem'],
      residue: [],
    });
  const origins = sources.reduce<readonly Origin[]>(
    (all, word) => joinOrigins(all, [fileOrigin(call, target(call, word))]),
    [],
  );
  const deletes = has(call, '--delete') || call.args.some((arg) => arg.text === '--delete' || arg.text === '-d');
  if (uploads) {
    const open = PUBLIC.test(call.args.map((arg) => arg.text).join(' '));
    emit(call, {
      effect: deletes ? 'infra_destroy' : open ? 'share' : 'send',
      operation: verb,
      targets: remote.slice(-1),
      flags: [...flags, ...(open ? ['public'] : [])],
      residue: [...residueOf(call), local.map((word) => word.text).join('\0')],
      externality: payload(origins),
    });
  } else {
    emit(call, { effect: 'fetch', operation: verb, targets: remote, residue: [] });
    if (last && last.text !== '-')
      emit(call, {
        effect: deletes ? 'delete_many' : 'write',
        operation: 'write',
        targets: [target(call, last)],
        flags: ['from_network', 'truncate'],
        scope: undefined,
        systems: ['filesystem'],
        residue: [remote.map((item) => item.id).join('\0')],
      });
  }
  if (verb === 'mv' && remote.length > 0)
    emit(call, { effect: 'infra_destroy', operation: 'move', targets: remote.slice(0, 1), flags });
}

/** `gh api -X DELETE repos/o/r` is that request. */
const forgeApi: Special = (call) => {
  emitOptionFiles(call);
  const path = call.given.operands[0];
  if (!path) return emitNone(call);
  const fields = call.given.options.get('-f') ?? [];
  const graphql = path.text === 'graphql';
  const query = fields.find((word) => word.text.startsWith('query='))?.text ?? '';
  const method = (
    optionValue(call, '-X')?.text ??
    (graphql
      ? /^query=\s*mutation\b/.test(query)
        ? 'POST'
        : 'GET'
      : fields.length > 0 || has(call, '--input')
        ? 'POST'
        : 'GET')
  ).toUpperCase();
  const text = path.text.replace(/^\//, '').replace(/[?#].*$/, '');
  let effect: Effect = effectOfRequest(method);
  if (effect === 'send') effect = fieldsEffect(forgeEffect(method, text), fields.map((word) => word.text).join('\n'));
  if (effect === 'fetch' && /\/(?:actions\/secrets|access_tokens|installation)/.test(text)) effect = 'read';
  emit(call, {
    effect,
    operation: method.slice(0, 16),
    targets: [{ id: `api:${text}`, known: path.known, glob: false }],
    residue:
      effect === 'fetch'
        ? []
        : [
            ...residueOf(call),
            fields
              .map((word) => word.text)
              .sort()
              .join('\0'),
          ],
    flags: effect === 'vcs_push' ? ['branch_unknown'] : [],
    ...(effect === 'message' && {
      externality: { destination_ownership: 'tenant', destination_visibility: 'team' } as const,
    }),
  });
  return { origins: ['download'] };
};

/** `stripe charges create`: the verb comes last. */
const resourceVerb: Special = (call) => {
  const words = call.args.filter((arg) => !arg.text.startsWith('-')).map((arg) => arg.text.toLowerCase());
  const reads =
    words.some((word) =>
      /^(?:list|retrieve|get|search|view|show|describe|status|whoami|help|ls|me|boards?|sprints?)$/.test(word),
    ) &&
    !words.some((word) =>
      /^(?:create|update|delete|cancel|capture|confirm|refund|pay|add|edit|move|assign|transition|comment|close|void|finalize|send|remove)$/.test(
        word,
      ),
    );
  emit(
    call,
    reads
      ? { effect: 'read', operation: 'list', metadata: true }
      : {
          operation: (
            words.find((word) =>
              /^(?:create|update|delete|cancel|capture|confirm|refund|pay|add|edit|move|assign|transition|comment|close|void|finalize|send|remove)$/.test(
                word,
              ),
            ) ?? 'change'
          ).slice(0, 64),
          residue: residueOf(call, call.args),
          targets: words.slice(0, 1).map((word) => plainTarget(`resource:${word}`)),
        },
  );
  return { origins: ['file'] };
};

const gitClone: Special = (call) =>
  call.walk.words(
    [
      literal('git'),
      literal('clone'),
      ...call.given.operands.map((word, index) =>
        index === 0 && /^[\w.-]+\/[\w.-]+$/.test(word.text)
          ? { ...word, text: `https://github.com/${word.text}` }
          : word,
      ),
    ],
    call.invocation.state,
    call.invocation.frame,
  );

export const CLOUD_SPECIALS: { readonly [name: string]: Special } = {
  cloud,
  'forge-api': forgeApi,
  'resource-verb': resourceVerb,
  'forge-clone': gitClone,
};
