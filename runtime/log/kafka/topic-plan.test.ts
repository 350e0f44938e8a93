import { describe, expect, it } from 'vitest';
import type { TopicNeeds } from './topic-needs.ts';
import { wantedTopics } from './topic-needs.ts';
import { type FoundTopic, planTopics } from './topic-plan.ts';
import { refusals } from './topic-refusals.ts';

const DAY = 86_400_000;
const needs: TopicNeeds = {
  prefix: 'g.',
  partitions: null,
  replicationFactor: null,
  retentionMs: 7 * DAY,
  retentionBytes: null,
  snapshotIntervalMs: 30_000,
};
const names = wantedTopics(needs).map(({ name }) => name);

/** As Kafka would have it when the wanted settings are the topic's. */
function right(name: string, more: Readonly<Record<string, string>> = {}, partitions = 16): FoundTopic {
  const isState = /snapshot/.test(name);
  const isKept = /journal|lifecycle/.test(name);
  const settings = {
    'cleanup.policy': isState ? 'compact' : 'delete',
    'retention.ms': isKept ? '-1' : String(name.endsWith('dead-letters') ? 30 * DAY : 7 * DAY),
    'retention.bytes': '-1',
    'max.message.bytes': '1048588',
    'min.insync.replicas': '1',
    'unclean.leader.election.enable': 'false',
    ...more,
  };
  return { name, partitions, replicas: 1, settings: new Map(Object.entries(settings)) };
}
const allRight = (partitions = 16) => names.map((name) => right(name, {}, partitions));
/** All topics right but one. */
const but = (topic: FoundTopic) => [...allRight().filter(({ name }) => name !== topic.name), topic];
const actionOf = (name: string, found: readonly FoundTopic[], of = needs) =>
  planTopics(of, found).topics.find(({ topic }) => topic === name)!;
const run = { create: true, alter: false };

describe('what is missing', () => {
  it('is created, with 16 partitions or as many as are asked for', () => {
    const { topics, partitions } = planTopics(needs, []);
    expect(partitions).toBe(16);
    expect(topics.map(({ topic }) => topic)).toEqual(names);
    expect(topics.every(({ action }) => action.do === 'create' && action.partitions === 16)).toBe(true);
    expect(planTopics({ ...needs, partitions: 5 }, []).partitions).toBe(5);
  });

  it('takes the number of partitions of what is there', () => {
    expect(actionOf('g.telemetry', [right('g.derived', {}, 6)]).action).toMatchObject({ do: 'create', partitions: 6 });
  });

  it.each([
    ['g.telemetry', { 'retention.ms': String(7 * DAY), 'message.timestamp.type': 'LogAppendTime' }],
    ['g.derived', { 'cleanup.policy': 'delete', 'retention.ms': String(7 * DAY) }],
    ['g.lifecycle', { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }],
    ['g.site-journal', { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }],
    ['g.dead-letters', { 'cleanup.policy': 'delete', 'retention.ms': String(30 * DAY) }],
    ['g.snapshots', { 'cleanup.policy': 'compact' }],
    ['g.snapshot-windows', { 'cleanup.policy': 'compact' }],
  ])('%s has its settings from the start', (name, settings) => {
    expect(actionOf(name, []).action).toMatchObject({ settings });
  });

  it('is bounded in bytes where that is asked for, but never a journal', () => {
    const bounded = { ...needs, retentionBytes: 5_000_000 };
    expect(actionOf('g.derived', [], bounded).action).toMatchObject({ settings: { 'retention.bytes': '5000000' } });
    expect(actionOf('g.journal', [], bounded).action).toMatchObject({ settings: { 'retention.bytes': '-1' } });
  });

  it('is refused where nothing may be created', () => {
    const reasons = refusals(planTopics(needs, but(right('g.other'))), { create: false, alter: false });
    expect(reasons).toEqual([]);
    const [reason] = refusals(planTopics(needs, allRight().slice(1)), { create: false, alter: false });
    expect(reason).toContain('g.telemetry: missing, and kafka.createTopics is false');
  });
});

describe('what is there', () => {
  it('is kept when it is right, and leads the number of partitions', () => {
    const { topics, partitions } = planTopics(needs, allRight(12));
    expect(partitions).toBe(12);
    expect(topics.every(({ action, warnings }) => action.do === 'keep' && warnings.length === 0)).toBe(true);
  });

  it.each<[string, FoundTopic]>([
    ['a longer retention', right('g.telemetry', { 'retention.ms': '-1' })],
    ['a bound in bytes that nobody asked about', right('g.telemetry', { 'retention.bytes': '1000' })],
    ['larger batches', right('g.derived', { 'max.message.bytes': '9000000' })],
    ['other settings', right('g.snapshots', { 'segment.bytes': '1000000' })],
    ['settings that cannot be read', { ...right('g.journal'), settings: null }],
  ])('is left alone with %s', (_, topic) => {
    expect(actionOf(topic.name, but(topic)).action).toEqual({ do: 'keep' });
  });

  it.each<[string, FoundTopic, string, string, boolean]>([
    ['retention', right('g.telemetry', { 'retention.ms': '1000' }), 'retention.ms', String(7 * DAY), false],
    ['retention of a journal', right('g.journal', { 'retention.ms': String(7 * DAY) }), 'retention.ms', '-1', true],
    ['bytes of the lifecycle', right('g.lifecycle', { 'retention.bytes': '10' }), 'retention.bytes', '-1', true],
    ['size of batches', right('g.derived', { 'max.message.bytes': '1000' }), 'max.message.bytes', '1048588', true],
    ['cleanup', right('g.snapshots', { 'cleanup.policy': 'delete' }), 'cleanup.policy', 'compact', true],
    ['cleanup', right('g.site-snapshots', { 'cleanup.policy': 'compact, delete' }), 'cleanup.policy', 'compact', true],
  ])('is altered in %s, and run goes on without it only where nothing is lost', (_, topic, setting, to, isNeeded) => {
    const found = but(topic);
    const { action } = actionOf(topic.name, found);
    expect(action).toMatchObject({ do: 'alter', changes: [{ setting, to }] });
    expect(refusals(planTopics(needs, found), run).length > 0).toBe(isNeeded);
    expect(refusals(planTopics(needs, found), { create: true, alter: true })).toEqual([]);
  });

  it.each(['compact', 'delete,compact'])('is refused with cleanup.policy %s where every record counts', (policy) => {
    const plan = planTopics(needs, but(right('g.telemetry', { 'cleanup.policy': policy })));
    expect(refusals(plan, { create: true, alter: true })).toEqual([
      expect.stringContaining('g.telemetry: cleanup.policy compact keeps only the newest record of a key'),
    ]);
  });
});

describe('the number of partitions', () => {
  const reasons = (found: readonly FoundTopic[], partitions: number | null = null) =>
    refusals(planTopics({ ...needs, partitions }, found), { create: true, alter: true });

  it('is refused when another one is asked for: once, with what there is, what is wanted, why, and what to do', () => {
    const [reason, ...more] = reasons(allRight(12), 16);
    expect(more).toEqual([]);
    for (const name of names) expect(reason).toContain(name);
    expect(reason).toContain('12 partitions there, and partitions is 16');
    expect(reason).toContain('hash of its serial');
    expect(reason).toContain('Set partitions to 12 or leave it out, or use another kafka.topicPrefix');
  });

  it('is refused where topics differ', () => {
    const found = but(right('g.lifecycle', {}, 8));
    expect(reasons(found)).toEqual([expect.stringContaining('g.lifecycle: 8 partitions, and g.telemetry has 16.')]);
    expect(reasons(found, 16)).toEqual([expect.stringContaining('g.lifecycle: 8 partitions, and partitions is 16')]);
  });

  it('is refused when it is more than can be folded', () => {
    expect(reasons(allRight(300))[0]).toContain('300 partitions, and 256 is the most');
  });
});

describe('warns', () => {
  it.each<[string, FoundTopic]>([
    ['retention.ms 1000 is less than snapshotIntervalMs', right('g.telemetry', { 'retention.ms': '1000' })],
    ['min.insync.replicas is 1', { ...right('g.derived'), replicas: 3 }],
    ['unclean.leader.election.enable is true', right('g.journal', { 'unclean.leader.election.enable': 'true' })],
    ['its settings cannot be read', { ...right('g.telemetry'), settings: null }],
  ])('%s', (text, topic) => {
    expect(actionOf(topic.name, but(topic)).warnings).toEqual([expect.stringContaining(text)]);
  });
});
