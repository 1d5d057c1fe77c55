// What kind of service a tool or an address belongs to: whose it is, who reads what is written there. Data, and its lookup.

/**
 * `work`: the tenant's own records and plans, kept with their history (trackers, notes, sheets, customer records, monitoring).
 * `chat`: people of the organisation. `mail`, `reach`: people anywhere. `desk`: answers go to customers, notes do not.
 * `social`: everybody. `pay`: money. `forge`: code. `store`: objects of one's own cloud. `home`: devices. `mind`: the
 * agent's own memory of facts.
 */
export type ServiceKind =
  | 'work'
  | 'chat'
  | 'mail'
  | 'reach'
  | 'desk'
  | 'social'
  | 'pay'
  | 'forge'
  | 'store'
  | 'home'
  | 'mind';

const BRANDS: { readonly [kind in ServiceKind]: string } = {
  work: 'jira atlassian confluence asana clickup shortcut basecamp wrike smartsheet airtable todoist ticktick evernote onenote obsidian logseq figma lucid productboard aha youtrack redmine phabricator bugzilla sharepoint salesforce hubspot pipedrive zoho dynamics close_crm affinity bamboohr workday personio greenhouse ashby servicenow pagerduty opsgenie incidentio firehydrant rootly sentry datadog newrelic grafana honeycomb splunk kibana rollbar bugsnag logrocket posthog amplitude mixpanel metabase tableau superset powerbi quickbooks xero netsuite freshbooks sap odoo calendly clockify toggl fireflies googlesheets googlecalendar googledocs googletasks googleslides gsheets gdocs gcal smartlead readwise zotero contentful',
  chat: 'slack msteams mattermost rocketchat zulip webex googlechat feishu dingtalk',
  mail: 'gmail outlook imap smtp fastmail protonmail sendgrid mailgun mailchimp sendinblue brevo klaviyo mailjet mailersend campaignmonitor constantcontact activecampaign',
  reach:
    'twilio whatsapp telegram vonage nexmo plivo messagebird wechat viber imessage docusign hellosign pandadoc sendbird discord',
  desk: 'zendesk intercom freshdesk helpscout gorgias kustomer frontapp tawk livechat',
  social:
    'twitter linkedin reddit mastodon bluesky facebook instagram youtube tiktok pinterest devto hashnode substack wordpress webflow producthunt hackernews discourse tumblr quora trustpilot statuspage',
  pay: 'stripe paypal adyen braintree mollie klarna razorpay checkoutcom gocardless coinbase binance kraken alpaca robinhood metamask revolut chargebee recurly lemonsqueezy billcom',
  forge: 'github gitlab bitbucket gitea forgejo codeberg azuredevops gerrit',
  store: 's3 gcs minio dropbox gdrive googledrive onedrive wasabi backblaze',
  home: 'homeassistant hass sonos spotify lifx smartthings ecobee tuya jellyfin roku',
  mind: 'mem0 openmemory basicmemory knowledgegraph qdrant pinecone weaviate milvus',
};
/** Words that say it of a server, and mean nothing in the name of a tool. */
const SERVERS: { readonly [kind in ServiceKind]?: string } = {
  mind: 'memory zep letta chroma',
  pay: 'square wise plaid mercury brex ramp paddle',
  desk: 'crisp drift',
  work: 'calendar calendars sheets spreadsheet spreadsheets docs tasks todo notes crm tracker kanban monitoring teamwork front_desk linear trello notion monday coda roam miro mural canva height plane attio copper apollo lever segment looker harvest zoom gong otter loom outreach mem raindrop pocket sanity strapi',
  chat: 'teams lark flock twist',
  mail: 'mail email postmark resend ses',
  reach: 'sms signal messenger bird line',
  social: 'blog threads medium ghost',
  store: 'drive r2 blob box',
  home: 'home hue nest plex',
};

function table(data: { readonly [kind in ServiceKind]?: string }): ReadonlyMap<string, ServiceKind> {
  return new Map(
    Object.entries(data).flatMap(([kind, names]) =>
      names.split(' ').map((name) => [name, kind as ServiceKind] as const),
    ),
  );
}
const BY_BRAND = table(BRANDS);
const BY_SERVER = table(SERVERS);

/** What runs other services' actions: the service is the first word of its step. */
const ORCHESTRATORS =
  /^(?:n8n|zapier|make|integromat|pipedream|workato|power_automate|powerautomate|tray|ifttt|composio|activepieces|logic_apps|step_functions)(?:_|$)/;

/** `server` and `name` as plain names, the name without its server's words; '' where there is no server. */
export function serviceOf(server: string, name: string, whole: string): ServiceKind | undefined {
  if (ORCHESTRATORS.test(server))
    return serviceOfWords(name.split('_').slice(0, 2).join('_'), true) ?? serviceOfWords(name, false);
  return serviceOfWords(server, true) ?? serviceOfWords(whole, false);
}

/** A brand may be two words (`google_sheets`, `home_assistant`). */
function serviceOfWords(text: string, isServer: boolean): ServiceKind | undefined {
  if (text === '') return undefined;
  const words = text.split('_');
  for (const [at, word] of words.entries()) {
    const next = words[at + 1];
    const kind = (next === undefined ? undefined : BY_BRAND.get(word + next)) ?? BY_BRAND.get(word);
    if (kind !== undefined) return kind;
  }
  if (!isServer) return undefined;
  for (const word of words) {
    const kind = BY_SERVER.get(word);
    if (kind !== undefined) return kind;
  }
  return undefined;
}
