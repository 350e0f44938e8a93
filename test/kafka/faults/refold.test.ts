import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KafkaMessage } from 'kafkajs';
import { expect, test } from 'vitest';
import { topics } from '../../../runtime/log/contract.ts';
import { encodeFrame } from '../../../runtime/log/kafka/journal-frame.ts';
import { PartitionFold } from '../../../runtime/shard/fold.ts';
import { encodeJournal, StepKind } from '../../../runtime/shard/journal.ts';
import { encodePosition, startPosition } from '../../../runtime/shard/position.ts';
import { toyType } from '../../../runtime/shard/testing/toy.ts';
import { lamp } from '../../../runtime/system/testing/rig.ts';
import { openState } from '../../crash/states.ts';
import { eventsOf, readOutputs } from '../../crash/written.ts';
import { batchesOf, HeldLog } from './held-log.ts';
import { refold } from './refold.ts';

const CLOCK = Date.UTC(2026, 0, 1);
const { readings, lifecycle, journal } = toyType.topics;

/** What a topic holds, by offset. */
type Held = Map<string, Uint8Array[]>;

function logOf(held: Held): HeldLog {
  const messages = (values: readonly Uint8Array[]) =>
    values.map((value, i): KafkaMessage => {
      const at = { offset: String(i), timestamp: String(CLOCK), attributes: 0, headers: {} };
      return { ...at, key: Buffer.from('A'), value: Buffer.from(value) };
    });
  const places = [...held].map(([topic, values]) => [`${topic}/0`, values] as const);
  return new HeldLog(
    1,
    new Map(places.map(([place, values]) => [place, batchesOf(messages(values))])),
    new Map(places.map(([place, values]) => [place, { start: 0, end: values.length }])),
  );
}

/** Three readings, folded in two commits as a shard does. */
async function folded(): Promise<Held> {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-refold-test-'));
  const state = await openState(dir, toyType);
  const position = startPosition();
  const fold = new PartitionFold({
    type: toyType,
    partition: 0,
    partitions: 1,
    state,
    position,
    horizonMs: 86_400_000,
  });
  const inputs = [lamp('A', 1), lamp('A', 2, { mode: 'bright' }), lamp('A', 3, { mode: 'off' })];
  const input = inputs.map((record) => Buffer.from(JSON.stringify(record)));
  const held: Held = new Map([
    [readings, input],
    [lifecycle, []],
    [journal, []],
    [topics.derived, []],
  ]);
  const [batch] = await logOf(held).read(readings, 0, 0);
  for (const [from, to] of [
    [0, 2],
    [2, 3],
  ]) {
    fold.telemetry(batch, from, to, CLOCK);
    const steps = [{ kind: StepKind.telemetry, count: to - from, clock: CLOCK }];
    const frame = encodeFrame({
      generation: 7,
      position: encodePosition(position),
      inputs: new Map([
        [readings, to],
        [lifecycle, 0],
      ]),
      journal: encodeJournal({ generation: 7, commit: position.commit, steps }),
    });
    held.get(journal)!.push(frame);
    position.commit = held.get(journal)!.length;
    for (const [topic, said] of fold.outputs.take()) held.get(topic)!.push(...said.map(({ value }) => value));
  }
  await state.close();
  rmSync(dir, { recursive: true });
  return held;
}

/** What the verifier says of a log that was tampered with. */
async function differencesOf(tamper: (held: Held) => void): Promise<string[]> {
  const held = await folded();
  tamper(held);
  const differences: string[] = [];
  const differ = (text: string) => void differences.push(text);
  const log = logOf(held);
  const written = await readOutputs(log, [toyType]);
  const { close } = await refold(log, toyType, 0, written, differ);
  for (const place of written.left()) differ(`${place}: records beyond the last commit`);
  eventsOf(written, differ);
  await close();
  return differences;
}

test('a log as a shard leaves it has no difference', async () => {
  expect(await differencesOf(() => {})).toEqual([]);
});

test.each<[what: string, tamper: (held: Held) => void, found: string]>([
  ['an event lost', (held) => held.get(topics.derived)!.splice(0, 1), 'derived-0 by'],
  ['an event doubled', (held) => held.get(topics.derived)!.push(held.get(topics.derived)![0]), 'stands twice'],
  ['two events in the wrong order', (held) => held.get(topics.derived)!.reverse(), 'derived-0 by'],
  ['a record that no commit has', (held) => held.get(readings)!.push(Buffer.from('{}')), 'were never folded'],
  ['a record lost', (held) => held.get(readings)!.pop(), 'cannot be folded again'],
  ['a commit lost at the end', (held) => held.get(journal)!.pop(), 'were never folded'],
])('%s is found', async (_, tamper, found) => {
  expect((await differencesOf(tamper)).join('\n')).toContain(found);
});

test('a commit of an owner that was fenced is found', async () => {
  const fork = (held: Held) => {
    const late = encodeFrame({
      generation: 6,
      position: encodePosition({ ...startPosition(), telemetry: 3, clock: CLOCK, commit: 1 }),
      inputs: new Map([
        [readings, 3],
        [lifecycle, 0],
      ]),
      journal: encodeJournal({ generation: 6, commit: 1, steps: [] }),
    });
    held.get(journal)!.push(late);
  };
  const found = (await differencesOf(fork)).join('\n');
  expect(found).toContain('follows 1, but stands behind 2');
  expect(found).toContain('is of generation 6, after 7 had written');
});
