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
  ['do $$ begin delete from t; end $$', 'database_destroy'],
  ["do $$ begin raise notice 'drop table x'; end $$", 'read'],
  ['do $$ begin execute (select body from s); end $$', 'run_opaque'],
  ["do $$ begin execute 'drop table t'; end $$", 'database_destroy'],
  ["do $$ begin execute 'drop table ' || name; end $$", 'run_opaque'],
  ["do 'begin drop table t; end'", 'database_destroy'],
  ['prepare p as delete from t', 'database_destroy'],
  ['prepare p from @x', 'run_opaque'],
  ["exec('drop table t')", 'database_destroy'],
  ['exec(@sql)', 'run_opaque'],
  ['exec nightly_job', 'unknown'],
  ['copy t to stdout', 'read'],
  ["copy t to '/tmp/x'", 'write'],
  ['frobnicate the database', 'unknown'],
  ['create or replace transient table t (a int)', 'database_destroy'],
  ['create or replace schema s', 'database_destroy'],
  ['create or replace view v as select 1', 'database_change'],
  ['create or replace temp table t (a int)', 'database_change'],
  ['create or replace table function f() as select 1', 'database_change'],
  ['replace table t as select 1', 'database_destroy'],
  ['replace into t values (1)', 'database_change'],
  ['insert overwrite table t select 1', 'database_destroy'],
  ["insert into t values ('overwrite')", 'database_change'],
  ['merge into t using s on t.a = s.a when not matched by source then delete', 'database_destroy'],
  ['merge into t using s on t.a = s.a when matched then update set b = 1', 'database_change'],
  ['alter table t on cluster c delete where 1=1', 'database_destroy'],
  ['alter table t delete where a = 5', 'database_change'],
  ['alter table t update a = 1 where true', 'database_destroy'],
  ['alter table t truncate partition p', 'database_destroy'],
  ['alter table t add constraint c foreign key (a) references b on delete cascade', 'database_change'],
  ['alter table t alter column a drop not null', 'database_change'],
  ['alter table t drop constraint c, drop column a', 'database_destroy'],
  ['vacuum t retain 0 hours', 'database_destroy'],
  ['vacuum analyze t', 'database_change'],
])('%s is %s', (text, effect) => expect(sqlEffect(text).effect).toBe(effect));

test('tables are named, contents are not', () => {
  expect(sqlEffect("insert into public.users values ('s3cret')").tables).toEqual(['public.users']);
});

test('what a reading shows is told by its columns', () => {
  expect(sqlEffect('select email from c').shows).toBe('personal');
  expect(sqlEffect('select email, c.phone from c').shows).toBe('regulated');
  expect(sqlEffect('select c.email, c.ssn from c').shows).toBe('regulated');
  expect(sqlEffect('select id, total from orders').shows).toBe(undefined);
});

test('blocks in blocks come to an end', () => {
  const nested = (depth: number): string =>
    depth === 0 ? 'drop table t' : `do $a${depth}$ begin ${nested(depth - 1)}; end $a${depth}$`;
  expect(['unknown', 'database_destroy', 'run_opaque', 'read']).toContain(sqlEffect(nested(30)).effect);
});
