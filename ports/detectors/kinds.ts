// Every kind of finding by name. Whoever rules on one by name (guardrails.yaml) must name one of these: a misspelt kind would
// hold nothing.

import { EFFECTS } from '../../core/action/types.ts';
import { LETTERED, NUMBERS } from './national-ids.ts';
import { GENERIC_RULE, SECRET_RULES } from './secret-rules.ts';
import { TOKEN_SHAPES } from './secret-tokens.ts';

const SECRETS = [
  ...['assigned_secret', 'private_key', 'url_password', 'high_entropy', 'telegram_token', 'crypto_private_key'],
  // By the reader of actions: what a program or tool is known to take a secret in.
  'secret_argument',
];
const PERSONAL = ['email', 'phone', 'payment_card', 'iban', 'crypto_address'];
const INJECTION = [
  ...['agent_instruction', 'false_turn', 'concealment', 'role_change', 'exfiltration_link', 'request_credentials'],
  ...['request_transfer', 'request_context', 'tool_shadowing'],
  ...['hidden_unicode', 'hidden_instruction', 'hidden_terminal', 'encoded_instruction'],
];

export const FINDING_KINDS: ReadonlySet<string> = new Set([
  ...SECRET_RULES.map(({ kind }) => kind).filter((kind) => kind !== GENERIC_RULE),
  ...TOKEN_SHAPES.map(({ kind }) => kind),
  ...[...NUMBERS, ...LETTERED].map(({ kind }) => kind),
  ...[...SECRETS, ...PERSONAL, ...INJECTION],
  ...[...EFFECTS, 'exfiltrate'].map((effect) => `asks_${effect}`),
]);
