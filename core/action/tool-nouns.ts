// Nouns in the names of tools, by what becomes of them when somebody changes or removes one. Data.

export const noun = (list: string) => new RegExp(`(?:^|_)(?:${list})(?:_|$)`);

export const IDENTITY_NOUNS = noun(
  'users?|members?|roles?|permissions?|permission_?schemes?|policy|policies|keys?|tokens?|secrets?|access|iam|groups?|collaborators?|admins?|passwords?|credentials?|mfa|service_accounts?|acl|acls|sso|scim|whitelist|allowlist|denylist|ip_rules?|delegates?|delegations?',
);
export const DATA_NOUNS = noun(
  'tables?|databases?|db|collections?|index|indexes|rows?|records?|schemas?|documents?|sql|keyspaces?|hypertables?|nodes_and_edges',
);
export const INFRA_NOUNS = noun(
  'instances?|buckets?|clusters?|servers?|vms?|volumes?|namespaces?|deployments?|pods?|services?|functions?|stacks?|projects?|repository|repositories|repos?|environments?|domains?|dns|zones?|snapshots?|backups?|networks?|containers?|images?|apps?|sites?|queues?|topics?|resources?|workspaces?|droplets?|dynos?|lambdas?|load_balancers?|subnets?|vpcs?|disks?|env_vars?|env|config_vars?|pipelines?|releases?',
);
/** Of these the ones that machines are made of; the others are also words of trackers and players. */
export const MACHINE_NOUNS = noun(
  'instances?|buckets?|clusters?|servers?|vms?|volumes?|namespaces?|deployments?|pods?|functions?|stacks?|environments?|domains?|dns|zones?|snapshots?|backups?|networks?|containers?|droplets?|dynos?|lambdas?|load_balancers?|subnets?|vpcs?|disks?|env_vars?|env|config_vars?|pipelines?',
);
export const TALK_NOUNS = noun(
  'issues?|tickets?|comments?|pull_requests?|merge_requests?|prs?|reviews?|discussions?|pages?|docs?|tasks?|events?|messages?|threads?|drafts?|notes?|cards?|story|stories|reactions?|labels?|milestones?|incidents?|meetings?|appointments?|work_items?|bugs?|epics?|sprints?|alerts?|worklogs?|blocks?|checklists?|todos?|reminders?|conversations?',
);
export const MAIL_NOUNS = noun(
  'emails?|mails?|messages?|sms|tweets?|chats?|dms?|notifications?|slack|campaigns?|newsletters?|whatsapp|voicemails?|faxe?s?',
);
/** Taking one away takes nothing with it that could not be put back. */
export const MINOR_NOUNS = noun(
  'reactions?|labels?|tags?|assignees?|reviewers?|watchers?|drafts?|stars?|votes?|pins?|bookmarks?|favou?rites?|likes?|reminders?|cart|carts|basket|wishlist|filters?|upvotes?|highlights?|queue_items?|typing|caches?|thumbnails?|previews?|tabs?|windows?|dialogs?|modals?|connections?|selection|clipboard',
);
/** Records a business keeps of its daily work: what is changed in one can be set back. */
export const RECORD_NOUNS = noun(
  'contacts?|leads?|deals?|opportunity|opportunities|compan(?:y|ies)|customers?|clients?|vendors?|suppliers?|candidates?|applicants?|profiles?|preferences?|items?|tags?|fields?|propert(?:y|ies)|carts?|baskets?|wishlists?|discount_codes?|coupon_codes?|favou?rites?|bookmarks?|lists?|columns?|sprints?|epics?|goals?|milestones?|calendars?|appointments?|slots?|inventory|stock|timesheets?|time_entr(?:y|ies)|worklogs?|hours|shifts?|folders?|dashboards?|widgets?|charts?|boards?|sheets?|cells?|spreadsheets?|slides?|memory|memories|entit(?:y|ies)|observations?|relations?|facts?|playlists?|songs?|tracks?|lights?|thermostats?|brightness|scenes?|status|state|stage|priority|progress|due_dates?|titles?|descriptions?|subjects?|estimates?|call_notes?|notes?|todos?|reminders?|checklists?|activities|activity|follow_ups?|interactions?|entries|entry|habits?|recipes?|workouts?|meals?|courses?|lessons?|grades?|feedback|categor(?:y|ies)|segments?|annotations?|bookings?_notes?|answers?|knowledge|articles?|queue|watchlists?|music|albums?|podcasts?|radio|volume|audio|video_playback|alarm_clock|timers?',
);
/** Runs later by itself once it is there. */
export const LATER_NOUNS = noun(
  'automations?|workflows?|triggers?|webhooks?|crons?|cron_?jobs?|jobs?|schedules?|scheduled_\\w+|recurring_\\w+|zaps?|flows?|dags?|forwarding|auto_?repl(?:y|ies)|mail_rules?|inbox_rules?|filters?|playbooks?|scenarios?',
);
/** Sort what comes in by mail before anybody reads it, and may send it on. */
export const MAIL_RULES = /(?:^|_)(?:message|mail|inbox|email|transport)_(?:rules?|filters?)(?:_|$)/;
/** What a scanner told: closed, nobody looks at it any more. */
export const SIGNALS =
  /(?:^|_)(?:(?:dependabot|(?:code|secret)_scanning|security|vulnerability|threat|malware|guardduty)_(?:alerts?|findings?|warnings?))(?:_|$)/;
export const GUARD_NOUNS = noun(
  'branch_protections?|protections?|protection_rules?|rulesets?|mfa|2fa|two_factor|two_factor_auth|totp|audit|audit_logs?|audit_log|auditing|audit_trail|cloudtrail|guardduty|firewalls?|waf|secret_scanning|vulnerability_alerts|encryption|public_access_block|deletion_protection|antivirus|edr|siem|logging|monitoring|security_policy|security_policies|security_hub|approval_rules?|rate_limits?|captcha|sso_enforcement|network_polic(?:y|ies)|alarm_system|burglar_alarm|content_filters?|dlp|malware_scan\\w*|intrusion_detection',
);
/** What the agent is held by, or told to be. */
export const GOVERNANCE_NOUNS = noun(
  'beacon|guardrails?|system_prompts?|system_instructions?|custom_instructions?|own_instructions?|agent_(?:rules?|instructions?|hooks?|permissions?|polic(?:y|ies)|prompt)|permission_modes?|auto_approv\\w*|approval_(?:gates?|polic(?:y|ies)|modes?|settings?)|allowed_tools|tool_(?:permissions?|allowlist|policy)|claude_md|agents_md|yolo_mode|safety_(?:filters?|settings?|mode)|tool_call_approvals?|pending_actions?',
);
export const SECRET_NOUNS = noun(
  'secrets?|credentials?|passwords?|passphrases?|private_keys?|signing_keys?|api_keys?|tokens?|otp|card_numbers?|cvv|cvc|seed_phrases?|mnemonics?|recovery_(?:codes?|phrases?|keys?)|backup_codes|pin_codes?|session_cookies?',
);
/** Devices that keep people out, or can hurt. */
export const SAFETY_NOUNS =
  /(?:^|[_.\s])(?:locks?|doors?|garage|alarms?|gates?|cameras?|security|valves?|ovens?|stoves?|sirens?|cover)(?:[_.\s]|$)/;
/** People, when whole lists of them are meant. */
export const PEOPLE_NOUNS = noun(
  'customers|clients|contacts|users|employees|patients|leads|members|subscribers|applicants|candidates|students|guests|emails|people|crm|payroll|salaries|medical_records?|health_records?|accounts',
);
/** How far something came that was begun: `migrate_status`. */
export const PROGRESS =
  /^(?:migrate|deploy|sync|release|restore|clone|import|export|provision|rollback|upgrade|build|order|transfer|refund|charge)_(?:status|progress|history|logs?)$/;
/** What they hold are names, not rows. */
export const DNS = /(?:^|_)(?:route_?53|dns\w*|namecheap|godaddy|porkbun|gandi|dnsimple)(?:_|$)/;
export const DISKS = /(?:^|_)(?:disks?|drives?|partitions?|file_?systems?|device|machine|sd_card|ssd|hdd)(?:_|$)/;
export const FORGES = /git|forge|bitbucket|gitea/;
export const SHARED =
  /(?:^|_)(?:public_(?:link|url|page|folder|share)|sharing_link|share_link|shareable_link|anonymous_link|public_access|public)(?:_|$)/;
export const RECORD_STORES =
  /(?:^|_)(?:mongo\w*|redis|valkey|dragonfly|keydb|memcached|upstash|elastic\w*|opensearch|neo4j|cassandra|dynamodb?|couch\w*|firestore|firebase|cosmos\w*|influx\w*|supabase|postgres\w*|mysql|sqlite|airtable|baserow|nocodb|surrealdb)(?:_|$)/;
/** Made, these bind; that a ticket is about one does not. */
export const ORDERED =
  /(?:^|_)(?:payments?|payouts?|refunds?|charges?|withdrawals?|deposits?|remittances?|purchase_orders?|orders?|bookings?|reservations?|subscriptions?|payroll|trades?|transfers?)$/;
export const BARRIERS =
  /(?:^|_)(?:branch_protections?|protection_rules?|rulesets?|approval_rules?|(?:security|firestore|storage|database)_rules|default_branch)(?:_|$)/;
/** Languages in which nothing can be changed. */
export const ONLY_ASKS =
  /^(?:(?:run|execute|query|search)_)?(?:esql|promql|logql|traceql|nrql|jql|soql|sosl|hogql|lucene|eql)(?:_(?:query|search))?$/;
/** Services that watch: a query there is in a language of their own, and changes nothing. */
export const WATCHERS =
  /^(?:honeycomb|new_?relic|datadog|grafana|prometheus|loki|tempo|cloudwatch|splunk|dynatrace|amplitude|mixpanel|sentry|axiom|signoz)(?:_|$)/;
