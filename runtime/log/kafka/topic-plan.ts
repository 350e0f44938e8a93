import { type Least, settingsAtCreation, type TopicNeeds, type WantedTopic, wantedTopics } from './topic-needs.ts';
import { choosePartitions } from './topic-partitions.ts';

/** A topic as the brokers describe it. */
export interface FoundTopic {
  readonly name: string;
  readonly partitions: number;
  /** Copies of the partition that has fewest. */
  readonly replicas: number;
  /** Null: reading them is not allowed. */
  readonly settings: ReadonlyMap<string, string> | null;
}

export interface Change {
  readonly setting: string;
  readonly from: string;
  readonly to: string;
  /** What is lost without it; null when nothing is. */
  readonly danger: string | null;
}

export type TopicAction =
  | { readonly do: 'create'; readonly partitions: number; readonly settings: Readonly<Record<string, string>> }
  | { readonly do: 'keep' }
  | { readonly do: 'alter'; readonly changes: readonly Change[] }
  | { readonly do: 'refuse'; readonly problems: readonly string[] };

export interface PlannedTopic {
  readonly topic: string;
  readonly action: TopicAction;
  /** What is odd without being refused. */
  readonly warnings: readonly string[];
}

/** What must be done so that the topics are as the runtime needs them. Nothing is done when one is refused. */
export interface TopicPlan {
  readonly partitions: number;
  readonly topics: readonly PlannedTopic[];
}

/** Compares what is wanted with what is there. Settings that nobody asked about are left alone. */
export function planTopics(needs: TopicNeeds, found: readonly FoundTopic[]): TopicPlan {
  const byName = new Map(found.map((topic) => [topic.name, topic]));
  const wanted = wantedTopics(needs);
  const present = wanted.flatMap(({ name }) => byName.get(name) ?? []);
  const counts = new Map(present.map(({ name, partitions }) => [name, partitions]));
  const { partitions, problems } = choosePartitions(counts, needs.partitions);
  return {
    partitions,
    topics: wanted.map((topic) => {
      const there = byName.get(topic.name);
      return there === undefined
        ? { topic: topic.name, action: { do: 'create', partitions, settings: settingsAtCreation(topic) }, warnings: [] }
        : planPresent(topic, there, problems.get(topic.name), needs);
    }),
  };
}

function planPresent(
  wanted: WantedTopic,
  found: FoundTopic,
  wrongCount: string | undefined,
  needs: TopicNeeds,
): PlannedTopic {
  const { settings } = found;
  const problems = [wrongCount, settings === null ? undefined : compacted(wanted, settings)].filter(
    (problem) => problem !== undefined,
  );
  const changes = settings === null ? [] : [...policyChange(wanted, settings), ...limitChanges(wanted, settings)];
  const action: TopicAction =
    problems.length > 0 ? { do: 'refuse', problems } : changes.length > 0 ? { do: 'alter', changes } : { do: 'keep' };
  return { topic: wanted.name, action, warnings: oddities(found, needs) };
}

/** Where every record counts, compaction has perhaps taken some already: no change of ours brings them back. */
function compacted({ cleanup }: WantedTopic, settings: ReadonlyMap<string, string>): string | undefined {
  if (cleanup === 'compact' || !policies(settings).includes('compact')) return undefined;
  return (
    'cleanup.policy compact keeps only the newest record of a key, and all of them are needed. ' +
    'Set it to delete if nothing was lost yet, or use another kafka.topicPrefix.'
  );
}

function policyChange({ cleanup }: WantedTopic, settings: ReadonlyMap<string, string>): Change[] {
  const from = policies(settings).join(',');
  if (cleanup === 'delete' || from === 'compact') return [];
  const danger = 'state that did not change for some time would be gone for the next owner of a partition';
  return [{ setting: 'cleanup.policy', from, to: 'compact', danger }];
}

function limitChanges({ least }: WantedTopic, settings: ReadonlyMap<string, string>): Change[] {
  return least.flatMap(({ setting, value, danger }): Change[] => {
    const from = settings.get(setting);
    if (from === undefined || isEnough(Number(from), { setting, value, danger })) return [];
    return [{ setting, from, to: String(value), danger }];
  });
}

function isEnough(found: number, { value }: Least): boolean {
  return found === -1 || (value !== -1 && found >= value);
}

function oddities({ name, replicas, settings }: FoundTopic, needs: TopicNeeds): string[] {
  if (settings === null) return ['its settings cannot be read (the right DescribeConfigs on the topic)'];
  const found: string[] = [];
  const keptMs = Number(settings.get('retention.ms') ?? -1);
  const isDeleted = policies(settings).includes('delete');
  if (name === `${needs.prefix}telemetry` && isDeleted && keptMs !== -1 && keptMs < needs.snapshotIntervalMs) {
    found.push(
      `retention.ms ${keptMs} is less than snapshotIntervalMs ${needs.snapshotIntervalMs}: what no snapshot holds yet may go`,
    );
  }
  if (replicas > 1 && settings.get('min.insync.replicas') === '1') {
    found.push('min.insync.replicas is 1: what one broker took is acknowledged, and goes with it');
  }
  if (settings.get('unclean.leader.election.enable') === 'true') {
    found.push(
      'unclean.leader.election.enable is true: a broker that lags may lead, and acknowledged records are gone',
    );
  }
  return found;
}

function policies(settings: ReadonlyMap<string, string>): string[] {
  return (settings.get('cleanup.policy') ?? 'delete').split(',').map((policy) => policy.trim());
}
