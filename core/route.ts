// Routes and verdicts. Strictness grows to the right; rules combine by maximum; what cannot be read is DENY.

export const ROUTES = ['ALLOW', 'WARN', 'SIMULATE', 'APPROVAL', 'DENY'] as const;
export type Route = (typeof ROUTES)[number];

export type Reason = { readonly rule: string; readonly code: string; readonly message: string };
export type Obligation = { readonly kind: string; readonly [parameter: string]: unknown };
/** What the policy said, before signing. */
export type Verdict = {
  readonly route: Route;
  readonly reasons: readonly Reason[];
  readonly obligations: readonly Obligation[];
};

export const OBLIGATION_KINDS = [
  'rewrite_input',
  'redact_output',
  'sandbox',
  'network_allow_list',
  'time_limit',
  'size_limit',
  'notify',
  'mark_untrusted',
] as const;
export const MAX_REASONS = 32;
export const MAX_OBLIGATIONS = 16;

export function strictest(routes: Iterable<Route>): Route {
  let rank = -1;
  for (const route of routes) rank = Math.max(rank, ROUTES.indexOf(route));
  return ROUTES[rank] ?? 'DENY';
}

/** Only these two run. */
export function runs(route: Route): boolean {
  return route === 'ALLOW' || route === 'WARN';
}

const REPORT = 'Nothing runs on that. Report it to the operators of Beacon.';

export function deny(code: string, message: string, rule = 'beacon.builtin'): Verdict {
  return { route: 'DENY', reasons: [{ rule, code, message }], obligations: [] };
}

/**
 * Reads the value a policy returned. Anything but a well-formed verdict is DENY with the reason code
 * `policy_undefined` or `policy_malformed`: undefined, empty, falsy and unknown routes never become ALLOW, and neither does
 * a member nobody knows, which may have been meant to hold something back.
 */
export function readVerdict(result: unknown): Verdict {
  if (result === undefined || result === null) return deny('policy_undefined', `The policy gave no result. ${REPORT}`);
  if (typeof result !== 'object')
    return deny('policy_malformed', `The policy gave something other than a verdict. ${REPORT}`);
  const { route, reasons, obligations, ...others } = result as Record<string, unknown>;
  if (Object.keys(others).length > 0) {
    return deny('policy_malformed', `The policy gave a verdict with members nobody knows. ${REPORT}`);
  }
  if (typeof route !== 'string' || !(ROUTES as readonly string[]).includes(route)) {
    return deny('policy_malformed', `The policy named no known route. ${REPORT}`);
  }
  if (!Array.isArray(reasons) || !reasons.every(isReason)) {
    return deny('policy_malformed', `The policy gave reasons that cannot be read. ${REPORT}`);
  }
  if (!Array.isArray(obligations) || obligations.length > MAX_OBLIGATIONS || !obligations.every(isObligation)) {
    return deny('policy_malformed', `The policy gave obligations that cannot be read. ${REPORT}`);
  }
  if (route !== 'ALLOW' && reasons.length === 0)
    return deny('policy_malformed', `The policy gave no reason. ${REPORT}`);
  return { route: route as Route, reasons: reasons.slice(0, MAX_REASONS), obligations };
}

function isReason(value: unknown): value is Reason {
  const { rule, code, message } = (value ?? {}) as Record<string, unknown>;
  return typeof rule === 'string' && rule !== '' && typeof code === 'string' && typeof message === 'string';
}

function isObligation(value: unknown): value is Obligation {
  const kind = (value as { kind?: unknown } | null)?.kind;
  return typeof kind === 'string' && (OBLIGATION_KINDS as readonly string[]).includes(kind);
}
