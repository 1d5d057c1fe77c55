// Shapes of tokens that issuers publish: a literal beginning and what follows. Data; searched by the beginning, so each costs one pass.

export type TokenShape = {
  readonly kind: string;
  readonly prefix: string;
  /** Applied right behind the prefix; bounded, sticky. */
  readonly tail: RegExp;
};

const shape = (kind: string, prefixes: string, tail: RegExp): readonly TokenShape[] =>
  prefixes.split(' ').map((prefix) => ({ kind, prefix, tail }));

export const TOKEN_SHAPES: readonly TokenShape[] = [
  ...shape('aws_access_key', 'AKIA ASIA ABIA ACCA', /[A-Z2-7]{16}(?![A-Za-z0-9])/y),
  ...shape('github_token', 'ghp_ gho_ ghu_ ghs_ ghr_', /[A-Za-z0-9]{30,251}/y),
  ...shape('github_token', 'github_pat_', /[A-Za-z0-9_]{36,251}/y),
  ...shape('gitlab_token', 'glpat- glptt- gldt- glrt- glsoat- glcbt- glimt- glagent- gloas-', /[A-Za-z0-9_-]{18,300}/y),
  ...shape('slack_token', 'xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxo- xapp-', /[A-Za-z0-9.-]{10,300}/y),
  ...shape('slack_webhook', 'hooks.slack.com/services/ hooks.slack.com/workflows/', /[A-Za-z0-9/_+-]{20,200}/y),
  ...shape(
    'discord_webhook',
    'discord.com/api/webhooks/ discordapp.com/api/webhooks/',
    /[0-9]{10,24}\/[A-Za-z0-9_-]{40,100}/y,
  ),
  ...shape('teams_webhook', 'webhook.office.com/webhookb2/', /[A-Za-z0-9@/_-]{40,300}/y),
  ...shape('stripe_key', 'sk_live_ sk_test_ rk_live_ rk_test_ whsec_', /[A-Za-z0-9+/=]{16,255}/y),
  ...shape('anthropic_key', 'sk-ant-', /[A-Za-z0-9_-]{20,255}/y),
  ...shape('openai_key', 'sk-proj- sk-svcacct- sk-admin- sk-None-', /[A-Za-z0-9_-]{20,255}/y),
  ...shape('openai_key', 'sk-', /[A-Za-z0-9]{32,64}(?![A-Za-z0-9])/y),
  ...shape('openrouter_key', 'sk-or-v1-', /[0-9a-f]{40,80}/y),
  ...shape('google_api_key', 'AIza', /[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/y),
  ...shape('google_oauth', 'ya29. GOCSPX- 1//0', /[A-Za-z0-9_-]{24,500}/y),
  ...shape('npm_token', 'npm_', /[A-Za-z0-9]{36}(?![A-Za-z0-9])/y),
  ...shape('pypi_token', 'pypi-AgEIcHlwaS5vcmc pypi-AgENdGVzdC5weXBpLm9yZ', /[A-Za-z0-9_-]{40,500}/y),
  ...shape('docker_token', 'dckr_pat_ dckr_oat_', /[A-Za-z0-9_-]{20,100}/y),
  ...shape('huggingface_token', 'hf_ api_org_', /[A-Za-z]{34}(?![A-Za-z0-9])/y),
  ...shape('sendgrid_key', 'SG.', /[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}/y),
  ...shape('shopify_token', 'shpat_ shpss_ shpca_ shppa_', /[0-9a-fA-F]{32}/y),
  ...shape('digitalocean_token', 'dop_v1_ doo_v1_ dor_v1_', /[0-9a-f]{64}/y),
  ...shape('linear_key', 'lin_api_ lin_oauth_', /[A-Za-z0-9]{32,64}/y),
  ...shape('vault_token', 'hvs. hvb. hvr.', /[A-Za-z0-9_-]{24,300}/y),
  ...shape('grafana_token', 'glc_ glsa_', /[A-Za-z0-9_+/=-]{32,300}/y),
  ...shape('square_token', 'sq0atp- sq0csp- EAAAE', /[A-Za-z0-9_-]{20,100}/y),
  ...shape('age_key', 'AGE-SECRET-KEY-1', /[A-Z0-9]{58}/y),
  ...shape('brevo_key', 'xkeysib- xsmtpsib-', /[a-f0-9]{64}-[A-Za-z0-9]{16}/y),
  ...shape('atlassian_token', 'ATATT3xFf ATCTT3xFf ATBB', /[A-Za-z0-9_=-]{24,300}/y),
  ...shape('postman_key', 'PMAK-', /[a-f0-9]{24}-[a-f0-9]{34}/y),
  ...shape('rubygems_key', 'rubygems_', /[a-f0-9]{48}/y),
  ...shape('sentry_token', 'sntrys_ sntryu_', /[A-Za-z0-9_=+/-]{40,300}/y),
  ...shape('databricks_token', 'dapi', /[0-9a-f]{32}(?:-\d)?(?![0-9a-f])/y),
  ...shape('doppler_token', 'dp.pt. dp.st. dp.ct. dp.sa.', /[A-Za-z0-9._-]{40,60}/y),
  ...shape('planetscale_token', 'pscale_tkn_ pscale_pw_ pscale_oauth_', /[A-Za-z0-9_.-]{32,64}/y),
  ...shape('supabase_token', 'sbp_ sb_secret_', /[A-Za-z0-9_]{30,64}/y),
  ...shape('figma_token', 'figd_', /[A-Za-z0-9_-]{38,64}/y),
  ...shape('notion_token', 'ntn_', /[A-Za-z0-9]{40,60}/y),
  ...shape('netlify_token', 'nfp_', /[A-Za-z0-9]{36,64}/y),
  ...shape('newrelic_key', 'NRAK-', /[A-Z0-9]{27}/y),
  ...shape('airtable_token', 'pat', /[A-Za-z0-9]{14}\.[0-9a-f]{64}/y),
  ...shape('heroku_key', 'HRKU-', /[A-Za-z0-9_-]{36,80}/y),
  ...shape('cloudflare_key', 'v1.0-', /[0-9a-f]{24}-[0-9a-f]{146}/y),
  ...shape('terraform_token', '.atlasv1.', /[A-Za-z0-9_=-]{60,80}/y),
  ...shape('azure_key', 'AccountKey= SharedAccessKey=', /[A-Za-z0-9+/]{40,100}={0,2}/y),
  ...shape('azure_sas', 'sig=', /[A-Za-z0-9%+/]{40,120}(?:%3D|=){1,2}/y),
  ...shape('groq_key', 'gsk_', /[A-Za-z0-9]{40,64}/y),
  ...shape('replicate_token', 'r8_', /[A-Za-z0-9]{37,40}/y),
  ...shape('xai_key', 'xai-', /[A-Za-z0-9]{70,90}/y),
  ...shape('beacon_token', 'bcn_ beacon_', /[A-Za-z0-9_-]{32,200}/y),
  ...shape('private_key', 'PuTTY-User-Key-File-', /\d: /y),
  ...shape('jwt', 'eyJ', /[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{0,2000}/y),
];
