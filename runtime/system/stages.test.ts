import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ManualClock } from '../kernel/clock.ts';
import { topics } from '../log/contract.ts';
import { currentOf } from '../shard/testing/test-fold.ts';
import { toyType } from '../shard/testing/toy.ts';
import { roomType } from '../shard/testing/toy-room.ts';
import { lamp, openRig, type Rig, START } from './testing/rig.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gridfold-stages-'));
  closers.push(async () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
const open = (dir: string, at = START) => openRig(dir, new ManualClock(at), { types: [toyType, roomType] }, closers);
const place = (serial: string, siteId: string, minute: number) => ({
  id: `${serial} ${siteId} ${minute}`,
  serial,
  type: 'placed',
  eventTime: START + minute * 60_000,
  data: { siteId },
});

/** What rooms say now: mode and count by room and mode. */
async function presence(rig: Rig): Promise<Record<string, unknown>> {
  const said = [...currentOf(await rig.derived())].filter(([id]) => id.startsWith('presence '));
  return Object.fromEntries(said.map(([id, fact]) => [id.slice(9), (fact as { data: { stays: number } }).data.stays]));
}

test('a room folds what its lamps forward, from all partitions, and nothing of lamps that stand nowhere', async () => {
  const rig = await open(folder());
  const lamps = ['A', 'B', 'C', 'D', 'E'];
  await rig.tell(lamps.map((serial) => place(serial, 'R-1', 0)));
  await rig.send([...lamps.map((serial) => lamp(serial, 1)), lamp('nowhere', 1)]);
  expect(await presence(rig)).toEqual({ 'R-1/dim': 5 });
  expect(rig.runtime.summary('room', 'R-1')).toMatchObject({ room: 'R-1' });
  expect(rig.runtime.summary('room', 'R-2')).toBeNull();
});

test('a late reading changes what the room knows; a fact taken back is taken back there too', async () => {
  const rig = await open(folder());
  await rig.tell([place('A', 'R-1', 0)]);
  await rig.send([lamp('A', 1, { mode: 'off' }), lamp('A', 9, { mode: 'bright' })]);
  expect(await presence(rig)).toEqual({ 'R-1/off': 1, 'R-1/bright': 1 });
  await rig.send([lamp('A', 5, { mode: 'bright' })]);
  expect(await presence(rig)).toEqual({ 'R-1/off': 1, 'R-1/bright': 1 });
});

test('a lamp placed after it spoke: the room hears what the window still holds, and the old room keeps its part', async () => {
  const rig = await open(folder());
  await rig.send([lamp('A', 1, { mode: 'off' }), lamp('A', 2, { mode: 'dim' }), lamp('A', 8, { mode: 'bright' })]);
  expect(await presence(rig)).toEqual({});
  await rig.tell([place('A', 'R-1', 0)]);
  expect(await presence(rig)).toEqual({ 'R-1/off': 1, 'R-1/dim': 1, 'R-1/bright': 1 });
  await rig.tell([place('A', 'R-2', 5)]);
  expect(await presence(rig)).toMatchObject({ 'R-2/dim': 1, 'R-2/bright': 1 });
});

test('both stages go on after an end without goodbye: nothing is told twice or not at all', async () => {
  const dir = folder();
  const first = await open(dir);
  await first.tell([place('A', 'R-1', 0), place('B', 'R-1', 0)]);
  await first.send([lamp('A', 1), lamp('B', 1), lamp('A', 2, { mode: 'bright' })]);
  const [said, summary] = [await first.derived(), first.runtime.summary('room', 'R-1')];
  await first.drop();
  const second = await open(dir, START + 60_000);
  expect(second.replayed.reduce((a, b) => a + b)).toBeGreaterThan(0);
  expect(await second.derived()).toEqual(said);
  expect(second.runtime.summary('room', 'R-1')).toEqual(summary);
  await second.send([lamp('B', 3, { mode: 'off' })]);
  expect(await presence(second)).toEqual({ 'R-1/dim': 2, 'R-1/bright': 1, 'R-1/off': 1 });
  await second.stop();
  const third = await open(dir, START + 120_000);
  expect(third.replayed).toEqual([0, 0, 0, 0]);
});

test('a contribution that cannot be read or folded is set aside; the room keeps its state and goes on', async () => {
  const rig = await open(folder());
  await rig.tell([place('A', 'R-1', 0)]);
  await rig.send([lamp('A', 1)]);
  await rig.append(topics.contributions, 0, 'no JSON');
  const poison = { to: { kind: 'room', key: 'R-1' }, eventTime: 'x', key: 'k', version: 1, op: 'upsert' };
  await rig.append(topics.contributions, 0, JSON.stringify({ ...poison, data: { mode: 'bang' } }));
  expect((await rig.deadLetters()).map(({ reason }) => reason)).toEqual(['malformed', 'fold_failed']);
  await rig.send([lamp('A', 2, { mode: 'bright' })]);
  expect(await presence(rig)).toEqual({ 'R-1/dim': 1, 'R-1/bright': 1 });
});
