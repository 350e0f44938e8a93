import { refuseBrokers, refuseHttpUrl, refuseHttpUrls } from './addresses.ts';
import type { Option } from './option.ts';
import { refuseRegistryAuth } from './registry-access.ts';

/** Kafka's limit for the name of a topic is 249; the longest name that we append has room beside this. */
const MAX_PREFIX_LENGTH = 200;

/** Options of the Kafka log, of the group of processes that shares it, and of the schema registry beside it. */
export const kafkaOptions = {
  'kafka.brokers': {
    type: 'text',
    default: null,
    refuse: refuseBrokers,
    doc: 'Brokers to begin with, `host:port`, comma separated. Not set: the log is the embedded one in `dataDir`.',
  },
  'kafka.topicPrefix': {
    type: 'text',
    default: 'gridfold.',
    refuse: refuseTopicPrefix,
    doc: 'Put before the name of every topic.',
  },
  'kafka.groupId': {
    type: 'text',
    default: 'gridfold',
    doc: 'Consumer group whose members share the partitions; transactional ids begin with it. One per topic prefix.',
  },
  'kafka.clientId': { type: 'text', default: 'gridfold', doc: 'Name in the logs and quotas of the brokers.' },
  'kafka.createTopics': {
    type: 'flag',
    default: true,
    doc: 'Whether `run` creates topics that are missing; else it refuses to start without them. It never changes one that is there.',
  },
  'kafka.replicationFactor': {
    type: 'integer',
    default: null,
    min: 1,
    max: 32,
    doc: 'Copies of each partition of the topics that are created. Not set: what the brokers are configured for.',
  },
  'kafka.ssl': {
    type: 'flag',
    default: false,
    doc: 'Connects with TLS; certificate and name of the brokers are always verified.',
  },
  'kafka.sslCa': {
    type: 'text',
    default: null,
    doc: 'PEM file of the authorities that may sign the certificate of a broker. Not set: those that Node brings.',
  },
  'kafka.sslCert': { type: 'text', default: null, doc: 'PEM file of the certificate that is shown to the brokers.' },
  'kafka.sslKey': { type: 'text', default: null, doc: 'PEM file of its private key, not encrypted.' },
  'kafka.sasl': {
    type: 'text',
    default: null,
    secret: true,
    doc: '`mechanism:user:password`, with `plain`, `scram-sha-256` or `scram-sha-512`; without `:password` when it stands in `kafka.saslPasswordFile`.',
  },
  'kafka.saslPasswordFile': {
    type: 'text',
    default: null,
    doc: 'File that holds the password; a line break at its end does not count.',
  },
  'kafka.compression': {
    type: 'word',
    words: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    default: 'lz4',
    doc: 'How what we write is compressed; everything can be read.',
  },
  'kafka.fetchMaxBytes': {
    type: 'integer',
    default: 16_777_216,
    min: 1_048_576,
    max: 1_073_741_824,
    doc: 'Most bytes that one answer of a broker holds.',
  },
  'kafka.fetchMaxWaitMs': {
    type: 'integer',
    default: 100,
    min: 1,
    max: 5_000,
    doc: 'How long a broker holds an answer back while there is nothing new.',
  },
  'kafka.sessionTimeoutMs': {
    type: 'integer',
    default: 10_000,
    min: 1_000,
    max: 300_000,
    doc: 'After so long without a heartbeat the partitions of a process go to others.',
  },
  'kafka.handoverTimeoutMs': {
    type: 'integer',
    default: 5_000,
    min: 0,
    max: 300_000,
    doc: 'How long the new owner of a partition waits for the last snapshot of one that lives; then it fences that one and replays.',
  },
  'kafka.advertisedUrl': {
    type: 'text',
    default: null,
    refuse: refuseHttpUrl,
    doc: 'Where the other processes of the group reach this one. Not set: `http://host:port`.',
  },
  'schemaRegistry.url': {
    type: 'text',
    default: null,
    refuse: refuseHttpUrls,
    doc: 'Addresses of a schema registry (Confluent interface), comma separated. Not set: the small one that `run` brings.',
  },
  'schemaRegistry.auth': {
    type: 'text',
    default: null,
    secret: true,
    refuse: refuseRegistryAuth,
    doc: '`user:password`, or `bearer TOKEN`.',
  },
} as const satisfies Record<string, Option>;

function refuseTopicPrefix(prefix: string): string | null {
  if (prefix.length > MAX_PREFIX_LENGTH) return `must have at most ${MAX_PREFIX_LENGTH} characters`;
  return /^[\w.-]+$/.test(prefix) ? null : 'may have letters, digits, ".", "_" and "-" only';
}
