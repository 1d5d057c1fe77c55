// Database clients: the statements they are given decide.

import { type Programs, type Rule, rows } from './rule.ts';

const DUMP: Rule = {
  effect: 'read',
  operation: 'dump',
  operands: 'residue',
  systems: ['database'],
  flags: ['database_dump'],
  special: 'db-dump',
  options: { '-f|--file|-o|--out|--archive|-r|--result-file': { value: 'write' }, '--password': { value: 'secret' } },
  values:
    '-h --host -p --port -U --username -u --user -d --dbname --db -t --table -n --schema -F --format -c --collection --uri',
};
const LOAD: Rule = {
  effect: 'database_change',
  operation: 'restore',
  operands: 'residue',
  systems: ['database'],
  options: { '-c|--clean|--drop': { effect: 'database_destroy', flags: ['bulk'] } },
  values: '-h --host -p --port -U --username -u -d --dbname --db --uri',
};

export const DATABASES: Programs = {
  ...rows('psql pgcli', {
    effect: 'database_change',
    special: 'sql',
    systems: ['database'],
    values: '-h --host -p --port -U --username -d --dbname -v --set --variable -F -R -P -L -T',
    options: {
      '-c|--command': { value: 'ignored' },
      '-f|--file': { value: 'ignored' },
      '-o|--output': { value: 'write' },
      '-l|--list': {},
      '-A|-t|-q|-x|-w|-W|-1|-X|-a|-e|-E|-b|-H|-s|-S|-n|-z|-0': {},
    },
  }),
  ...rows('mysql mariadb mycli', {
    effect: 'database_change',
    special: 'sql',
    systems: ['database'],
    values: '-h --host -P --port -u --user -D --database -S --socket --default-character-set --protocol',
    options: {
      '-e|--execute': { value: 'ignored' },
      '-p|--password': { value: 'secret', attached: true },
      '-B|-N|-s|-t|-v|-E|-H|-X|-A|-f|-C': {},
      '--defaults-file|--defaults-extra-file': { value: 'read' },
    },
  }),
  ...rows('sqlite3 sqlite duckdb litecli', {
    effect: 'database_change',
    special: 'sql',
    systems: ['database'],
    values: '-separator -cmd -init -nullvalue -c -s -f',
    options: {
      '-cmd': { value: 'ignored' },
      '-readonly|-header|-csv|-json|-line|-column|-bail|-batch|-markdown|-table|-box|-noheader': {},
    },
    longSingleDash: true,
  }),
  influx: {
    effect: 'database_change',
    special: 'sql',
    operands: 'residue',
    values: '-host -port -username -database --host -t --token -o --org',
    options: { '-execute|--execute': { value: 'content' } },
    longSingleDash: true,
    subcommands: {
      'ping|version|help|query|v1': { effect: 'fetch', operands: 'residue' },
      'write|restore|import': { effect: 'database_change', operands: 'residue' },
      delete: { effect: 'database_destroy', operands: 'residue' },
      'bucket|org|user|auth|secret|telegrafs|stacks|dashboards|task|replication|remote|server-config|config': {
        effect: 'database_change',
        operands: 'residue',
        subcommands: {
          'list|ls|find': { effect: 'read', operands: 'residue', metadata: true, scope: 'remote' },
          'delete|rm|remove': { effect: 'database_destroy', operands: 'residue' },
          '*': { effect: 'database_change', operands: 'residue' },
        },
      },
    },
  },
  ...rows(
    'sqlcmd osql bcp clickhouse-client clickhouse cockroach presto trino hive beeline impala-shell isql sqlplus sqlpackage cqlsh snowsql-cli spark-sql',
    {
      effect: 'database_change',
      special: 'sql',
      systems: ['database'],
      values: '-S -U -d -h --host --port -u --user --database -s',
      options: {
        '-Q|-q|-e|--execute|--query|--sql': { value: 'ignored' },
        '-i|-f|--file|--queries-file|--input-file': { value: 'ignored' },
        '-P|--password': { value: 'secret' },
      },
    },
  ),
  ...rows('mongosh mongo', {
    effect: 'database_change',
    special: 'mongo',
    systems: ['database'],
    values: '--host --port -u --username --authenticationDatabase',
    options: {
      '--eval': { value: 'ignored' },
      '-f|--file': { value: 'ignored' },
      '-p|--password': { value: 'secret' },
      '--quiet|--norc|--nodb': {},
    },
  }),
  ...rows('redis-cli valkey-cli keydb-cli', {
    effect: 'database_change',
    special: 'redis',
    systems: ['database'],
    stopAtOperand: true,
    values: '-h -p -n -s -r -i -u --user --pattern --count --intervals --quoted-pattern -d -X',
    options: {
      '-a|--pass': { value: 'secret' },
      '--raw|--no-raw|--csv|-x|--tls|-3|--no-auth-warning': {},
      '--eval': { value: 'ignored' },
      '--scan|--bigkeys|--memkeys|--hotkeys|--stat|--latency|--pipe': {},
      '--rdb': { value: 'write' },
    },
  }),
  ...rows('pg_dump pg_dumpall mysqldump mariadb-dump mongodump mongoexport pg_basebackup', DUMP),
  ...rows('pg_restore mongorestore mongoimport mysqlimport', LOAD),
  createdb: {
    effect: 'database_change',
    operation: 'create',
    operands: 'name:database',
    systems: ['database'],
    values: '-h -p -U -O -T -E',
  },
  dropdb: {
    effect: 'database_destroy',
    operation: 'drop',
    operands: 'name:database',
    systems: ['database'],
    flags: ['bulk'],
    values: '-h -p -U',
  },
  ...rows('createuser dropuser', { effect: 'identity_change', operands: 'name:user', systems: ['database'] }),
  mysqladmin: {
    effect: 'database_change',
    systems: ['database'],
    values: '-h -u -P',
    subcommands: {
      'status|ping|version|processlist|variables|extended-status': { effect: 'read', operands: 'none' },
      drop: { effect: 'database_destroy', operands: 'name:database' },
      create: { effect: 'database_change', operands: 'name:database' },
      password: { effect: 'identity_change', operands: 'none' },
      shutdown: { effect: 'process_many', operands: 'none' },
      '*': { effect: 'database_change', operands: 'residue' },
    },
  },
  ...rows('pg_isready pg_config pg_lsclusters', { effect: 'read', operands: 'none', metadata: true }),
  ...rows(
    'pg_ctl initdb pg_ctlcluster pg_upgrade pg_resetwal vacuumdb reindexdb mysqld mysqld_safe mongod redis-server postgres',
    { effect: 'process_own', operands: 'residue' },
  ),
  pg_resetwal: { effect: 'database_destroy', operands: 'files' },
  pg_dropcluster: { effect: 'database_destroy', operands: 'residue' },
};
