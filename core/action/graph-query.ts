// Statements of graph databases (Cypher, Gremlin, SPARQL) by the words that change, outside strings and comments.

import type { Effect } from './types.ts';

const LANGUAGES =
  /(?:^|_)(?:neo4j|cypher|memgraph|gremlin|neptune|janusgraph|sparql|graphdb|arangodb|aql|surql|dgraph)(?:_|$)/;
const MAX_TEXT = 16_384;
const TAKES_AWAY = /\b(?:delete|detach|remove|drop|clear)\b/i;
const CHANGES = /\b(?:create|merge|set|insert|upsert|update|replace|load|foreach|addV|addE|property)\b/i;
const CALLS = /\bcall\s+(?!db\.(?:labels|schema|indexes|relationshipTypes|propertyKeys)|dbms\.components)/i;
const ASKS =
  /^\s*(?:match|optional\s+match|return|with|unwind|explain|show|profile|select|ask|describe|construct|prefix|for|g\.v|g\.e|call)\b/i;

/** Undefined when no such database is asked, or it is not asked in its language. */
export function graphEffect(query: unknown, name: string): Effect | undefined {
  if (typeof query !== 'string' || query.trim() === '' || !LANGUAGES.test(name)) return undefined;
  if (query.length > MAX_TEXT) return 'run_opaque';
  const text = query.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, "''");
  // A label or a property of that name is no deed: `(:Delete)`, `n.set`.
  const plain = text.replace(/[:.]\s?\w+(?!\s?\()/g, ' ');
  if (/\.\s?drop\s?\(/i.test(text) || TAKES_AWAY.test(plain)) return 'database_destroy';
  if (/^\s*(?:explain|profile)\b/i.test(plain) && !/^\s*profile/i.test(plain)) return 'read';
  if (/\.\s?(?:addV|addE|property)\s?\(/i.test(text) || CHANGES.test(plain)) return 'database_change';
  if (CALLS.test(text)) return 'unknown';
  return ASKS.test(text) ? 'read' : 'unknown';
}
