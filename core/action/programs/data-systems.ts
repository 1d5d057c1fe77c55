// Queues, data platforms, search and graph stores, backups of databases: by what their command lines are given.

import { type Programs, type Rule, rows } from './rule.ts';

const READ: Rule = { effect: 'read', operands: 'none', metadata: true };
const CHANGE: Rule = { effect: 'database_change', operands: 'residue', systems: ['database'] };
const LOST: Rule = { effect: 'database_destroy', operands: 'residue', systems: ['database'], flags: ['bulk'] };
const JOB: Rule = { effect: 'infra_change', operands: 'residue', scope: 'remote' };
const ACCOUNT: Rule = { effect: 'identity_change', operands: 'residue' };

const BROKERS =
  '--bootstrap-server --broker-list --brokers --zookeeper -b --command-config --producer.config --consumer.config';
/** The scripts that come with Kafka: one each for topics, groups, settings, access. */
const kafka = (effect: Rule['effect']): Rule => ({
  effect,
  operands: 'residue',
  systems: ['kafka'],
  scope: 'remote',
  values: `${BROKERS} --partitions --replication-factor --config --add-config --delete-config --entity-type --entity-name --to-datetime`,
  options: {
    '--topic': { value: 'name:topic' },
    '--group': { value: 'name:group' },
    '--list|--describe|--verify|--version|--members|--state|--offsets': { effect: 'read', operation: 'describe' },
    '--delete|--delete-offsets': { effect: 'database_destroy', operation: 'delete', flags: ['bulk'] },
    '--create|--alter|--reset-offsets': { effect: 'infra_change', operation: 'alter' },
    '--dry-run': { flags: ['dry_run'] },
  },
});
const kafkaNames = (name: string) => `${name} ${name}.sh`;

/** `topic list`, `topic delete`: the verb stands anywhere behind a noun. */
const verbs = (systems: string): Rule => ({
  effect: 'unknown',
  systems: [systems],
  scope: 'remote',
  special: 'cloud',
  values: `${BROKERS} -X --context --url -c --config --server -H --host --user -u`,
});

const BACKUP: Rule = {
  effect: 'infra_change',
  operands: 'residue',
  systems: ['backup'],
  subcommands: {
    'info|list|ls|status|check|verify|version|help|show-backup|show-server|list-backup|list-backups|list-server|list-servers|backup-list|wal-show|diff|snapshots|wals|databases|generations':
      READ,
    'backup|backup-push|wal-push|archive-push|push|create|stanza-create|stanza-upgrade|snapshot|replicate|cron|start|stop|receive-wal|archive-wal':
      { effect: 'infra_change', operands: 'residue' },
    'delete|expire|prune|forget|delete-backup|stanza-delete|retain|remove|rm': {
      effect: 'infra_destroy',
      operands: 'residue',
      flags: ['backup', 'destructive'],
    },
    'restore|backup-fetch|wal-fetch|archive-get|recover|get-wal|pitr': LOST,
  },
};

export const DATA_SYSTEMS: Programs = {
  ...rows(
    `${kafkaNames('kafka-topics')} ${kafkaNames('kafka-consumer-groups')} ${kafkaNames('kafka-reassign-partitions')}`,
    kafka('infra_change'),
  ),
  ...rows(kafkaNames('kafka-configs'), kafka('infra_change')),
  ...rows(kafkaNames('kafka-acls'), {
    ...kafka('identity_change'),
    options: {
      '--list': { effect: 'read', operation: 'list' },
      '--topic': { value: 'name:topic' },
      '--add|--remove': {},
    },
  }),
  ...rows(kafkaNames('kafka-delete-records'), { ...LOST, scope: 'remote', values: BROKERS }),
  ...rows(
    `${kafkaNames('kafka-console-consumer')} ${kafkaNames('kafka-dump-log')} ${kafkaNames('kafka-get-offsets')} ${kafkaNames('kafka-log-dirs')} ${kafkaNames('kafka-metadata-quorum')} ${kafkaNames('kafka-broker-api-versions')} ${kafkaNames('kafka-avro-console-consumer')} ${kafkaNames('kafka-run-class')}`,
    { effect: 'fetch', operands: 'none', scope: 'remote' },
  ),
  ...rows(
    `${kafkaNames('kafka-console-producer')} ${kafkaNames('kafka-avro-console-producer')} ${kafkaNames('kafka-producer-perf-test')}`,
    {
      ...CHANGE,
      operation: 'produce',
      scope: 'remote',
      systems: ['kafka'],
      values: BROKERS,
      options: { '--topic': { value: 'name:topic' } },
    },
  ),
  ...rows(
    `${kafkaNames('kafka-server-start')} ${kafkaNames('zookeeper-server-start')} ${kafkaNames('kafka-storage')}`,
    {
      effect: 'process_own',
      operands: 'residue',
    },
  ),
  ...rows(`${kafkaNames('kafka-server-stop')} ${kafkaNames('zookeeper-server-stop')}`, {
    effect: 'system_change',
    operands: 'none',
  }),
  ...rows('kcat kafkacat', {
    effect: 'fetch',
    operands: 'residue',
    scope: 'remote',
    values: '-b -t -p -o -c -G -X -F -f -K -D -s -r',
    options: { '-P': { effect: 'database_change', operation: 'produce' }, '-L|-C|-Q': {} },
  }),
  ...rows('rpk kafkactl pulsar-admin pulsarctl zkCli.sh zkCli mqadmin natscli', verbs('queue')),
  mosquitto_sub: { effect: 'fetch', operands: 'none', scope: 'remote', options: { '-P': { value: 'secret' } } },
  ...rows('mosquitto_pub amqp-publish', {
    effect: 'send',
    operands: 'residue',
    scope: 'remote',
    values: '-h -t -p -u -i',
    options: { '-P': { value: 'secret' }, '-m': { value: 'content' } },
  }),
  ...rows('rabbitmq-diagnostics rabbitmq-queues', { ...READ, scope: 'remote' }),
  'rabbitmq-plugins': {
    effect: 'system_change',
    subcommands: { 'list|directories|is_enabled': READ, '*': { effect: 'system_change', operands: 'residue' } },
  },
  rabbitmqctl: {
    effect: 'infra_change',
    operands: 'residue',
    systems: ['rabbitmq'],
    values: '-n --node -p --vhost -t --timeout',
    subcommands: {
      'status|list_queues|list_exchanges|list_bindings|list_connections|list_channels|list_consumers|list_users|list_vhosts|list_permissions|list_user_permissions|list_policies|cluster_status|environment|report|ping|eval_file|help|version|node_health_check|await_startup|export_definitions':
        READ,
      'delete_queue|purge_queue|delete_vhost|reset|force_reset|forget_cluster_node': LOST,
      'add_user|delete_user|change_password|set_permissions|clear_permissions|set_user_tags|authenticate_user|clear_password|set_topic_permissions':
        ACCOUNT,
      eval: { effect: 'run_opaque', operands: 'residue' },
      '*': { effect: 'infra_change', operands: 'residue' },
    },
  },

  // Hadoop and its kin.
  ...rows('hdfs hadoop', {
    effect: 'unknown',
    systems: ['hdfs'],
    scope: 'remote',
    subcommands: {
      'dfs|fs': {
        effect: 'read',
        operands: 'residue',
        longSingleDash: true,
        options: {
          '-ls|-cat|-du|-df|-count|-stat|-text|-tail|-head|-test|-checksum|-getfacl|-find|-help|-usage|-getmerge|-get|-copyToLocal':
            {},
          '-put|-copyFromLocal|-moveFromLocal|-mkdir|-cp|-touchz|-touch|-appendToFile|-setrep|-mv|-createSnapshot': {
            effect: 'database_change',
          },
          '-rm|-rmr|-rmdir|-expunge|-truncate|-deleteSnapshot': { effect: 'database_destroy', flags: ['destructive'] },
          '-chmod|-chown|-chgrp|-setfacl': { effect: 'identity_change' },
        },
      },
      'fsck|getconf|version|classpath|envvars|groups|lsSnapshottableDir|oev|oiv': READ,
      dfsadmin: {
        effect: 'infra_change',
        operands: 'residue',
        longSingleDash: true,
        options: { '-report|-printTopology|-help|-getDatanodeInfo': { effect: 'read' } },
      },
      namenode: {
        effect: 'process_own',
        longSingleDash: true,
        operands: 'residue',
        options: { '-format': { effect: 'disk_destroy' } },
      },
      'jar|distcp|job|mapred|archive': JOB,
      '*': JOB,
    },
  }),
  ...rows('mapred flink sqoop oozie', verbs('hadoop')),
  ...rows('spark-submit spark-class spark-shell pyspark', { effect: 'run_unknown', operands: 'residue' }),
  ...rows('ray dask modal', verbs('compute')),
  ...rows('sbatch srun salloc qsub bsub condor_submit', JOB),
  ...rows('sinfo squeue sacct sstat sprio sshare qstat bjobs bhosts condor_q rocm-smi', {
    ...READ,
    scope: 'machine',
  }),
  ...rows('scancel qdel bkill condor_rm', { effect: 'process_own', operands: 'residue' }),

  // Stores with command lines of their own.
  nodetool: {
    effect: 'infra_change',
    operands: 'residue',
    values: '-h -p -u -pw',
    subcommands: {
      'status|info|ring|describecluster|tpstats|tablestats|cfstats|netstats|compactionstats|gossipinfo|version|describering|getendpoints|proxyhistograms|tablehistograms|listsnapshots|statusbinary|statusgossip':
        READ,
      'clearsnapshot|decommission|removenode|assassinate|truncatehints': {
        effect: 'infra_destroy',
        operands: 'residue',
      },
      '*': { effect: 'infra_change', operands: 'residue' },
    },
  },
  ...rows('neo4j-admin couchbase-cli arangodump arangorestore', verbs('database')),
  ...rows(
    'cypher-shell cbq arangosh surreal edgedb gel tarantool dolt usql ysqlsh vsql bteq ysql mssql-cli clickhouse-local questdb rqlite immuclient monetdb',
    {
      effect: 'database_change',
      special: 'sql',
      systems: ['database'],
      values: '-a --address -u --username -h --host --port -d --database',
      options: {
        '-Q|-q|-e|--execute|--query|--sql|-c|--command|--script': { value: 'ignored' },
        '-i|-f|--file|--input-file': { value: 'ignored' },
        '-p|-P|--password': { value: 'secret' },
      },
    },
  ),
  ...rows('neo4j solr elasticsearch opensearch logstash filebeat memcached redis-sentinel', {
    effect: 'process_own',
    operands: 'residue',
    subcommands: {
      'status|version|healthcheck|console': READ,
      delete: LOST,
      'start|stop|restart|create|create_core|create_collection': { effect: 'process_own', operands: 'residue' },
    },
  }),
  ...rows('rman impdp', LOST),
  ...rows('expdp exp', { ...READ, operation: 'dump', flags: ['database_dump'] }),
  ...rows('redis-benchmark pgbench sysbench mysqlslap memtier_benchmark ycsb esrally', {
    effect: 'build',
    operands: 'residue',
    operation: 'benchmark',
  }),
  ...rows(
    'mysqlcheck mysqlshow mongostat mongotop pg_controldata pg_waldump pg_verifybackup pt-query-digest pgbadger',
    READ,
  ),
  ...rows(
    'pgloader ogr2ogr osm2pgsql shp2pgsql mydumper myloader pt-archiver pt-table-sync pt-online-schema-change gh-ost bytebase',
    CHANGE,
  ),
  ...rows('mydumper', { ...READ, operation: 'dump', flags: ['database_dump'] }),
  ...rows(
    'pgbackrest barman wal-g wal-e xtrabackup mariabackup innobackupex litestream pg_probackup medusa clickhouse-backup',
    BACKUP,
  ),
  ...rows('curator curator_cli', {
    ...LOST,
    options: { '--dry-run': { flags: ['dry_run'] } },
  }),
};
