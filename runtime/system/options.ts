import { kafkaOptions } from './kafka-options.ts';
import { teslaOptions } from './tesla-options.ts';
import type { Option, ValueOf } from './option.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Every option, in the order of help and docs. */
export const options = {
  dataDir: { type: 'text', default: '.gridfold', doc: 'Folder of log, snapshots and tables; created when missing.' },
  host: { type: 'text', default: '127.0.0.1', doc: 'Address to listen on.' },
  port: { type: 'integer', default: 4343, min: 0, max: 65_535, doc: 'Port to listen on; 0 picks a free one.' },
  sim: {
    type: 'integer',
    default: 50,
    min: 0,
    max: 1_000_000,
    doc: 'Assets of the demo fleet that `run` simulates; 0 simulates none.',
  },
  partitions: {
    type: 'integer',
    default: null,
    min: 1,
    max: 256,
    doc: 'Partitions of every topic; fixed when the log is created. Not set: 4 in the embedded log; on Kafka as many as the topics have that are there, else 16.',
  },
  commitIntervalMs: {
    type: 'integer',
    default: 500,
    min: 10,
    max: MINUTE,
    doc: 'Time between commits of state, derived events and position.',
  },
  snapshotIntervalMs: {
    type: 'integer',
    default: 30_000,
    min: 100,
    max: DAY,
    doc: 'Time between snapshots of a partition.',
  },
  snapshotRecords: {
    type: 'integer',
    default: 1_000_000,
    min: 1_000,
    max: 1_000_000_000,
    doc: 'Records after which a snapshot is due even if the interval has not passed: it bounds what a restart replays.',
  },
  blocksPerKind: {
    type: 'integer',
    default: 1_024,
    min: 16,
    max: 16_384,
    doc: 'Blocks of state per partition and kind; fixed when the data folder is created.',
  },
  maxResidentBytes: {
    type: 'integer',
    default: 1_073_741_824,
    min: 16_777_216,
    max: 1_099_511_627_776,
    doc: 'State that a partition keeps in memory; what was not touched for longest leaves first.',
  },
  horizonMs: {
    type: 'integer',
    default: DAY,
    min: 0,
    max: 30 * DAY,
    doc: 'How late a reading may come, counted from the newest of its asset; later ones become dead letters.',
  },
  windowBytesPerBlock: {
    type: 'integer',
    default: 4_194_304,
    min: 65_536,
    max: 1_073_741_824,
    doc: 'Readings kept per block to fold late ones; where it holds less than the horizon, the horizon is shorter.',
  },
  silenceOutageMs: {
    type: 'integer',
    default: 15 * MINUTE,
    min: 1_000,
    max: DAY,
    doc: 'No record from anybody for so long is an outage of the way to us, not of the assets: silence timers wait. Longer than the slowest cadence.',
  },
  silenceGraceMs: {
    type: 'integer',
    default: 5 * MINUTE,
    min: 0,
    max: DAY,
    doc: 'After such an outage, how long records must flow again before silence timers fire.',
  },
  sinkCommitIntervalMs: {
    type: 'integer',
    default: 1_000,
    min: 50,
    max: 10 * MINUTE,
    doc: 'Time between commits of a sink.',
  },
  retentionMs: {
    type: 'integer',
    default: 7 * DAY,
    min: MINUTE,
    max: 3_650 * DAY,
    doc: 'Age up to which telemetry and derived events stay in the log.',
  },
  retentionBytes: {
    type: 'integer',
    default: null,
    min: 1_048_576,
    max: Number.MAX_SAFE_INTEGER,
    doc: 'Bytes up to which each partition of a topic stays in the log. Not set: no limit.',
  },
  cadenceSeconds: {
    type: 'per-kind-integer',
    min: 1,
    max: 86_400,
    doc: 'Time between the readings of an asset, per kind; `installed` may name another one for an asset.',
  },
  timeZone: {
    type: 'per-kind-text',
    refuse: refuseTimeZone,
    doc: 'Zone in which a day begins and ends, per kind; `installed` may name another one for an asset.',
  },
  shutdownTimeoutMs: {
    type: 'integer',
    default: 10_000,
    min: 100,
    max: 10 * MINUTE,
    doc: 'After a stop signal, how long the last commit and snapshot may take before the process ends without them.',
  },
  authToken: {
    type: 'text',
    default: null,
    secret: true,
    doc: 'Bearer token that HTTP and WebSocket clients must show. Not set: none is asked for.',
  },
  logLevel: {
    type: 'word',
    words: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    default: 'info',
    doc: 'Least severity of the messages on stderr.',
  },
  tables: {
    type: 'word',
    words: ['all', 'off'],
    default: 'all',
    doc: 'Whether this process fills tables of its own from the whole derived topic; `off` where another one does, or another store.',
  },
  acceptLoss: {
    type: 'flag',
    default: false,
    doc: 'Goes on where the log has dropped records that were not folded yet; the range is told and becomes a `data_gap`. Not set: refuses and names it.',
  },
  json: { type: 'flag', default: false, doc: 'Answers as JSON on stdout.' },
  ...kafkaOptions,
  ...teslaOptions,
} as const satisfies Record<string, Option>;

/** Partitions of an embedded log when `partitions` is not set. */
export const EMBEDDED_PARTITIONS = 4;

export type OptionName = keyof typeof options;

/** The whole configuration, checked. */
export type Config = { readonly [K in OptionName]: ValueOf<(typeof options)[K]> };

export const optionNames = Object.keys(options) as OptionName[];

function refuseTimeZone(name: string): string | null {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return null;
  } catch {
    return `"${name}" is not an IANA time zone such as Europe/Berlin`;
  }
}
