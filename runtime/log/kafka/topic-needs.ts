import { topics } from '../contract.ts';

/** What the configuration says about topics. */
export interface TopicNeeds {
  /** Put before every name. */
  readonly prefix: string;
  /** Null: as many as the topics have that are there, else {@link KAFKA_PARTITIONS}. */
  readonly partitions: number | null;
  /** Of topics that are created; null: what the brokers are configured for. */
  readonly replicationFactor: number | null;
  readonly retentionMs: number;
  /** Per partition; null: no limit. */
  readonly retentionBytes: number | null;
  readonly snapshotIntervalMs: number;
}

/** The least that a numeric setting of a topic must be; -1 is no limit. */
export interface Least {
  readonly setting: 'retention.ms' | 'retention.bytes' | 'max.message.bytes';
  readonly value: number;
  /** What is lost, and without which nothing is run; null when less is only not what was asked for. */
  readonly danger: string | null;
}

/** One topic as it must be. */
export interface WantedTopic {
  /** With the prefix. */
  readonly name: string;
  readonly cleanup: 'delete' | 'compact';
  readonly least: readonly Least[];
  /** Set beside the others when the topic is created, and nobody's business afterwards. */
  readonly atCreation: Readonly<Record<string, string>>;
}

/** Partitions of new topics when nobody says how many. */
export const KAFKA_PARTITIONS = 16;

const DEAD_LETTER_RETENTION_MS = 30 * 86_400_000;
const UNLIMITED = -1;

/** Commits and snapshots write batches of up to 1 MB; this is Kafka's own default. */
const LEAST_BATCH_BYTES = 1_048_588;

/** When the broker took a record is when we received it, and the age by which it goes: not what its producer says. */
const ARRIVAL = { 'message.timestamp.type': 'LogAppendTime' };

/** A compacted topic is read whole by the next owner of a partition: small segments, cleaned early, keep it short. */
const COMPACTED_EARLY = {
  'segment.bytes': String(64 * 1024 * 1024),
  'min.cleanable.dirty.ratio': '0.2',
  'delete.retention.ms': String(3_600_000),
};

/** Every topic of a fleet, the leading one first: its number of partitions is that of all. */
export function wantedTopics({ prefix, retentionMs, retentionBytes }: TopicNeeds): WantedTopic[] {
  const bytes = retentionBytes === null ? [] : [least('retention.bytes', retentionBytes)];
  const aged = [least('retention.ms', retentionMs), ...bytes];
  const letters = [least('retention.ms', DEAD_LETTER_RETENTION_MS), ...bytes];
  const told = forEver('what people said of an asset is folded again whenever an older record comes');
  const positions = forEver('where a partition stands would be forgotten while it is idle; we trim it ourselves');
  return [
    { ...deleted(topics.telemetry, aged), atCreation: ARRIVAL },
    { ...deleted(topics.lifecycle, told), atCreation: ARRIVAL },
    deleted(`site-${topics.lifecycle}`, told),
    deleted(topics.contributions, aged),
    deleted(topics.derived, aged),
    deleted(topics.deadLetters, letters),
    deleted(topics.journal, positions),
    deleted(`site-${topics.journal}`, positions),
    compacted(topics.snapshots),
    compacted(topics.snapshotWindows),
    compacted(`site-${topics.snapshots}`),
  ].map((topic) => ({ ...topic, name: prefix + topic.name }));
}

/** What a new topic is given. */
export function settingsAtCreation(topic: WantedTopic): Record<string, string> {
  const limits = topic.least.filter(({ setting }) => setting.startsWith('retention.'));
  const kept = limits.map(({ setting, value }) => [setting, String(value)]);
  return { 'cleanup.policy': topic.cleanup, ...Object.fromEntries(kept), ...topic.atCreation };
}

function deleted(name: string, limits: readonly Least[]): WantedTopic {
  return { name, cleanup: 'delete', least: [...limits, batch], atCreation: {} };
}

function compacted(name: string): WantedTopic {
  return { name, cleanup: 'compact', least: [batch], atCreation: COMPACTED_EARLY };
}

function forEver(danger: string): Least[] {
  return [least('retention.ms', UNLIMITED, danger), least('retention.bytes', UNLIMITED, danger)];
}

function least(setting: Least['setting'], value: number, danger: string | null = null): Least {
  return { setting, value, danger };
}

const batch = least('max.message.bytes', LEAST_BATCH_BYTES, 'a commit that is larger would fail, again and again');
