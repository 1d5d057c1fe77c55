// The lint of the tables: what a row may say, and that every reading it names exists.

import { describe, expect, test } from 'vitest';
import { EFFECTS } from '../types.ts';
import { PROGRAMS, TABLES } from './registry.ts';
import type { Rule } from './rule.ts';
import { SPECIALS } from './specials.ts';

function visit(rule: Rule, path: string, check: (rule: Rule, path: string) => void): void {
  check(rule, path);
  for (const [name, inner] of Object.entries(rule.subcommands ?? {})) visit(inner, `${path} ${name}`, check);
}

const all: [string, Rule][] = [];
for (const [name, rule] of Object.entries(PROGRAMS)) visit(rule, name, (inner, path) => all.push([path, inner]));

describe('tables of programs', () => {
  test('there are many', () => expect(Object.keys(PROGRAMS).length).toBeGreaterThan(900));

  test('no program stands in two of them', () => {
    const names = TABLES.flatMap((table) => Object.keys(table));
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  test('effects are of the list, readings exist, options look like options', () => {
    for (const [path, rule] of all) {
      expect(EFFECTS, path).toContain(rule.effect);
      if (rule.special !== undefined)
        expect(Object.hasOwn(SPECIALS, rule.special), `${path}: ${rule.special}`).toBe(true);
      for (const name of (rule.values ?? '').split(' ').filter((item) => item !== '')) expect(name, path).toMatch(/^-/);
      for (const [names, option] of Object.entries(rule.options ?? {})) {
        for (const name of names.split('|')) expect(name, path).toMatch(/^-/);
        if (option.effect) expect(EFFECTS, path).toContain(option.effect);
      }
      for (const flag of rule.flags ?? []) expect(flag, path).toMatch(/^[a-z][a-z_]*$/);
    }
  });

  test('no subcommand is listed twice', () => {
    for (const [path, rule] of all) {
      const names = Object.keys(rule.subcommands ?? {}).flatMap((key) => key.split('|'));
      const twice = names.filter((name, index) => names.indexOf(name) !== index);
      expect(twice.length, `${path}: ${twice}`).toBe(0);
    }
  });

  test('every reading is used', () => {
    const used = new Set(all.map(([, rule]) => rule.special));
    expect(Object.keys(SPECIALS).filter((name) => !used.has(name))).toEqual([]);
  });
});
