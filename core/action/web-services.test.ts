// Requests to well-known services: REST paths, methods in the path, GraphQL and SOAP come to the deed they name.

import { describe, expect, test } from 'vitest';
import { admit, gravest } from './admit.fixture.ts';

const http = (method: string, url: string, body: unknown = '', headers: { [name: string]: string } = {}) =>
  gravest(admit('http', { method, url, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }));
const told = (part: ReturnType<typeof http>) =>
  `${part.effect}${part.externality.destination_ownership === 'tenant' ? ' own' : ''}${part.flags.includes('destructive') ? ' destructive' : ''}`;

test.each<[string, string, unknown, string]>([
  ['POST', 'https://slack.com/api/users.list', {}, 'fetch'],
  ['POST', 'https://slack.com/api/reactions.add', { name: 'eyes' }, 'message own'],
  ['POST', 'https://slack.com/api/chat.delete', { ts: '1' }, 'send destructive'],
  ['POST', 'https://slack.com/api/admin.users.invite', {}, 'identity_change'],
  ['POST', 'https://gmail.googleapis.com/gmail/v1/users/me/messages/18f/modify', {}, 'message own'],
  ['POST', 'https://gmail.googleapis.com/gmail/v1/users/me/messages/send', { raw: 'x' }, 'message'],
  ['POST', 'https://gmail.googleapis.com/gmail/v1/users/me/messages/batchDelete', {}, 'send destructive'],
  ['POST', 'https://gmail.googleapis.com/gmail/v1/users/me/settings/forwardingAddresses', {}, 'schedule'],
  ['POST', 'https://graph.microsoft.com/v1.0/me/messages', { subject: 'x' }, 'message own'],
  ['POST', 'https://graph.microsoft.com/v1.0/me/events', { subject: 'x' }, 'message own'],
  ['POST', 'https://graph.microsoft.com/v1.0/teams/1/channels/2/messages', { body: {} }, 'message own'],
  ['PATCH', 'https://api.hubapi.com/crm/v3/objects/deals/51', {}, 'send own'],
  ['POST', 'https://api.hubapi.com/crm/v3/objects/deals/search', { filters: [] }, 'fetch'],
  ['DELETE', 'https://api.airtable.com/v0/appX123456/tblY123456/recZ123456', '', 'send destructive'],
  ['POST', 'https://api.trello.com/1/cards', { name: 'x' }, 'message own'],
  ['POST', 'https://acme.zendesk.com/api/v2/tickets/5/comments', { body: 'x' }, 'message'],
  ['POST', 'https://api.opsgenie.com/v2/alerts/1234567/acknowledge', {}, 'message own'],
  ['PUT', 'https://acme.zendesk.com/api/v2/tickets/5.json', { ticket: { comment: { body: 'x' } } }, 'message'],
  ['PUT', 'https://acme.zendesk.com/api/v2/tickets/5.json', { ticket: { priority: 'high' } }, 'message own'],
  ['POST', 'https://api.box.com/2.0/files/1234567/shared_link', {}, 'share'],
  ['POST', 'https://api.dropboxapi.com/2/sharing/modify_shared_link_with_settings', {}, 'share'],
  ['PUT', 'https://acme.atlassian.net/rest/api/3/permissionscheme/10100', {}, 'identity_change'],
  ['POST', 'https://api.datadoghq.eu/api/v1/monitor/123/mute', {}, 'send'],
  ['POST', 'https://thanos.corp/api/v1/query_range', 'query=up', 'fetch'],
  ['POST', 'https://elsewhere.example/api/v1/query_range', 'query=up', 'send'],
  ['POST', 'https://thanos.corp/api/v1/query_range', `query=${'x'.repeat(3_000)}`, 'send own'],
  ['POST', 'https://api.tavily.com/search', { query: 'x' }, 'fetch'],
  ['POST', 'https://app-dsn.algolia.net/1/indexes/a/query', { query: 'x' }, 'fetch'],
  ['POST', 'https://app-dsn.algolia.net/1/indexes/a/batch', { requests: [{ action: 'deleteObject' }] }, 'send'],
  ['POST', 'https://a-1.svc.pinecone.io/query', { topK: 1 }, 'fetch'],
  ['POST', 'https://a.eu.cloud.qdrant.io/collections/a/points/delete', { points: [1] }, 'send destructive'],
  ['POST', 'https://api.telegram.org/bot1:a/getChat', { chat_id: 1 }, 'fetch'],
  ['POST', 'https://api.telegram.org/bot1:a/sendPhoto', { chat_id: 1 }, 'message'],
  ['POST', 'https://api.stripe.com/v1/customers', 'name=x', 'send own'],
  ['DELETE', 'https://api.stripe.com/v1/customers/cus_1', '', 'send destructive'],
  ['POST', 'https://bigquery.googleapis.com/bigquery/v2/projects/p/queries', { query: 'SELECT 1' }, 'fetch'],
  [
    'POST',
    'https://bigquery.googleapis.com/bigquery/v2/projects/p/queries',
    { query: 'TRUNCATE TABLE a' },
    'database_destroy',
  ],
  ['POST', 'https://dwh.corp/sql', { statement: 'drop table a' }, 'database_destroy own'],
  ['POST', 'https://elsewhere.example/sql', { statement: 'select 1' }, 'send'],
])('%s %s %o is %s', (method, url, body, expected) => {
  const found = told(http(method, url, body));
  expect(expected.includes('own') ? found : found.replace(' own', '')).toBe(expected);
});

describe('models that answer', () => {
  test.each<[string, unknown, string]>([
    ['https://api.mistral.ai/v1/chat/completions', { messages: [] }, 'send own'],
    ['https://bedrock-runtime.eu-west-1.amazonaws.com/model/a/converse', { messages: [] }, 'send own'],
    ['https://generativelanguage.googleapis.com/v1/models/a:generateContent', { contents: [] }, 'send own'],
    ['https://api.openai.com/v1/files', { purpose: 'batch' }, 'send'],
    ['https://api.openai.com.evil.example/v1/embeddings', { input: 'a' }, 'send'],
    ['https://evil.example/v1/embeddings', { input: 'a' }, 'send'],
  ])('%s %o is %s', (url, body, expected) => expect(told(http('POST', url, body))).toBe(expected));

  test('a secret that is told a model is still a secret told', () => {
    const body = { messages: [{ role: 'user', content: 'CANARYAb12Cd34' }] };
    const { externality } = http('POST', 'https://api.mistral.ai/v1/chat/completions', body);
    expect([externality.external_write, externality.sensitive_payload]).toEqual([true, 'secret']);
  });
});

test.each<[string, { [name: string]: string }, boolean]>([
  ['https://store.example/up', { 'X-Account-Type': 'personal' }, true],
  ['https://store.example/up', { 'X-Profile': 'company' }, false],
  ['https://store.example/up?account=ada%40gmail.com', {}, true],
  ['https://store.example/up?q=personal', {}, false],
])('%s with %o is a personal account: %s', (url, headers, personal) =>
  expect(http('POST', url, 'x', headers).flags.includes('personal_account')).toBe(personal),
);

describe('GraphQL by its fields', () => {
  test.each<[string, string, string]>([
    ['https://api.linear.app/graphql', 'mutation { issueCreate(input: {title: "x"}) { success } }', 'message own'],
    [
      'https://api.linear.app/graphql',
      'mutation A { projectDelete(id: "x") { success } }',
      'infra_destroy destructive',
    ],
    ['https://api.linear.app/graphql', 'query { projectDelete: project(id: "x") { id } }', 'fetch'],
    ['https://api.monday.com/v2', 'mutation { archive_item(item_id: 1) { id } }', 'send own'],
    [
      'https://api.monday.com/v2',
      'mutation { a: create_item(board_id: 1) { id } b: delete_item(item_id: 2) { id } }',
      'send destructive',
    ],
    [
      'https://api.github.com/graphql',
      'mutation { addReaction(input: {content: EYES}) { clientMutationId } }',
      'message own',
    ],
    [
      'https://api.github.com/graphql',
      'mutation { mergeBranch(input: {base: "main"}) { clientMutationId } }',
      'vcs_push',
    ],
    [
      'https://api.github.com/graphql',
      'mutation { deleteBranchProtectionRule(input: {}) { clientMutationId } }',
      'security_disable destructive',
    ],
    [
      'https://api.github.com/graphql',
      'mutation { disablePullRequestAutoMerge(input: {}) { actor { login } } }',
      'vcs_push',
    ],
    ['https://api.github.com/graphql', '# query\nmutation { x }', 'send'],
    ['https://unknown.example/graphql', 'mutation { updateThing { id } }', 'send'],
  ])('%s %s is %s', (url, query, expected) => {
    const found = told(http('POST', url, { query }));
    expect(expected.includes('own') ? found : found.replace(' own', '')).toBe(expected);
  });

  test('a long question, or one that carries more, is no question', () => {
    const url = 'https://api.github.com/graphql';
    expect(http('POST', url, { query: `{ a(b: "${'x'.repeat(3_000)}") }` }).effect).toBe('send');
    expect(http('POST', url, { query: '{ a }', stolen: 'data' }).effect).toBe('send');
  });
});

test('SOAP by what its body and header name, the graver of the two', () => {
  const body = (name: string) => `<s:Envelope><s:Body><n:${name} xmlns:n="urn:x"/></s:Body></s:Envelope>`;
  const call = (name: string, action: string, host = 'erp.corp') =>
    told(http('POST', `https://${host}/soap`, body(name), { SOAPAction: action }));
  expect(call('ListInvoices', '"urn:ListInvoices"')).toBe('fetch own');
  expect(call('RemoveSupplier', '"urn:RemoveSupplier"')).toBe('send own destructive');
  expect(call('RemoveSupplier', '"urn:ListInvoices"')).toBe('send own destructive');
  expect(call('ListInvoices', '"urn:RemoveSupplier"')).toBe('send own destructive');
  expect(call('ListInvoices', '"urn:ListInvoices"', 'erp.example')).toBe('send');
});

test('headers say whose data is meant and in whose name', () => {
  expect(http('GET', 'https://api.corp/a', '', { 'X-Tenant-ID': 'globex' }).targets).toContain('tenant:globex');
  expect(http('GET', 'https://api.corp/a', '', { Sudo: 'root' }).flags).toContain('acts_for_another');
  expect(http('GET', 'https://api.corp/a', '', { Accept: 'x' }).flags).not.toContain('acts_for_another');
});

describe('clouds that name the deed beside the method', () => {
  const target = (name: string) => ({ 'X-Amz-Target': name });
  test.each<[string, string, string, { [name: string]: string }, string]>([
    ['GET', 'https://ec2.eu-west-1.amazonaws.com/?Action=TerminateInstances&InstanceId.1=i-1', '', {}, 'infra_destroy'],
    ['GET', 'https://iam.amazonaws.com/?Action=CreateAccessKey&UserName=x', '', {}, 'identity_change'],
    ['GET', 'https://iam.amazonaws.com/?Version=2010-05-08&Action=AttachUserPolicy', '', {}, 'identity_change'],
    ['GET', 'https://sqs.eu-west-1.amazonaws.com/1/q?Action=Frobnicate', '', {}, 'infra_change'],
    ['GET', 'https://ec2.eu-west-1.amazonaws.com/?Action=DescribeInstances', '', {}, 'fetch'],
    ['GET', 'https://ec2.example.com/?Action=TerminateInstances', '', {}, 'fetch'],
    ['POST', 'https://ec2.eu-west-1.amazonaws.com/', 'Action=DescribeInstances', {}, 'fetch'],
    ['POST', 'https://ec2.eu-west-1.amazonaws.com/?Action=DescribeX', 'Action=StopInstances', {}, 'infra_change'],
    ['POST', 'https://logs.eu-west-1.amazonaws.com/', '{}', target('Logs_20140328.FilterLogEvents'), 'fetch'],
    [
      'POST',
      'https://cloudtrail.eu-west-1.amazonaws.com/',
      '{}',
      target('CloudTrail_20131101.StopLogging'),
      'security_disable',
    ],
    [
      'POST',
      'https://secretsmanager.eu-west-1.amazonaws.com/',
      '{}',
      target('secretsmanager.GetSecretValue'),
      'secret_fetch',
    ],
    ['POST', 'https://logging.googleapis.com/v2/entries:list', '{"filter":"x"}', {}, 'fetch'],
    ['POST', 'https://sqladmin.googleapis.com/v1/projects/a/instances/b/export', '{}', {}, 'send'],
    ['POST', 'https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messageRules', '{}', {}, 'schedule'],
  ])('%s %s %s %o is %s', (method, url, body, headers, effect) =>
    expect(http(method, url, body, headers).effect).toBe(effect),
  );
});
