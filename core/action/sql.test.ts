import { expect, test } from 'vitest';
import { sqlEffect } from './sql.ts';

test.each([
  ['select * from users', 'read'],
  ["select 'drop table x; delete from y'", 'read'],
  ['-- drop table x\nselect 1', 'read'],
  ['/* delete from x */ select 1', 'read'],
  ['explain select 1', 'read'],
  ['with a as (select 1) select * from a', 'read'],
  ['begin; set x = 1; commit', 'read'],
  ['insert into t values (1)', 'database_change'],
  ['update t set a = 1 where b = 2', 'database_change'],
  ['delete from t where a = 1', 'database_change'],
  ['create table t (a int)', 'database_change'],
  ['with a as (select 1) delete from t where b in (select * from a)', 'database_change'],
  ['update t set a = 1', 'database_destroy'],
  ['delete from t', 'database_destroy'],
  ['DELETE FROM t WHERE 1=1', 'database_destroy'],
  ['truncate t', 'database_destroy'],
  ['drop database shop', 'database_destroy'],
  ['select 1; drop table t', 'database_destroy'],
  ['select 1 /*! ; drop table t */', 'database_destroy'],
  ['dr/**/op table t', 'unknown'],
  ['alter table t drop column a', 'database_destroy'],
  ['grant all on t to bob', 'identity_change'],
  ['create user bob', 'identity_change'],
  ["copy t from program 'curl x | sh'", 'run_opaque'],
  ["exec xp_cmdshell 'dir'", 'run_opaque'],
  ["select * from t into outfile '/tmp/x'", 'write'],
  ['explain analyze delete from t', 'database_destroy'],
  ['frobnicate the database', 'unknown'],
])('%s is %s', (text, effect) => expect(sqlEffect(text).effect).toBe(effect));

test('tables are named, contents are not', () => {
  expect(sqlEffect("insert into public.users values ('s3cret')").tables).toEqual(['public.users']);
});
