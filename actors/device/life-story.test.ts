import { describe, expect, it } from 'vitest';
import type { LifecycleRecord } from '../../runtime/shard/contract.ts';
import { lifeStory } from './life-story.ts';
import { lifecycleRecord } from './testing/harness.ts';

const DAY = 86_400_000;
const START = Date.parse('2022-01-01T12:00:00Z');
const on = (day: number) => new Date(START + day * DAY).toISOString();

type Entry = readonly [day: number, type: string, data?: Record<string, unknown>, more?: Partial<LifecycleRecord>];
interface Story {
  readonly [part: string]: unknown;
  readonly dwell: Record<'states' | 'phases', Record<string, { ms: number; entries: number; since: string | null }>>;
  readonly installations: readonly Record<string, unknown>[];
}
function tell(entries: readonly Entry[], asOf = 1000): Story {
  const records = entries.map(([day, type, data, more]) => lifecycleRecord(type, on(day), data, more));
  return lifeStory('PW-1', records, START + asOf * DAY) as Story;
}

const FIRST: readonly Entry[] = [
  [0, 'manufactured', { model: 'PW3' }],
  [1, 'shipped'],
  [4, 'delivered'],
  [9, 'installed', { siteId: 'S-1', position: 'battery-1', cabinet: 'C-1', replaces: 'PW-0' }],
  [10, 'commissioningStarted'],
  [11, 'commissioned'],
];
const SECOND: readonly Entry[] = [
  ...FIRST,
  [50, 'maintenanceStarted'],
  [52, 'maintenanceCompleted'],
  [100, 'replacedBy', { newSerial: 'PW-2' }],
  [105, 'returned'],
  [120, 'refurbished'],
  [130, 'installed', { siteId: 'S-2', position: 'battery-7' }],
];

describe('the story of a life', () => {
  it.each([
    [0, 'manufactured', 'manufactured', 'notYetInstalled'],
    [1, 'inTransit', 'shipped', 'notYetInstalled'],
    [2, 'inStock', 'received', 'notYetInstalled'],
    [3, 'installed', 'deployed', 'installed'],
    [4, 'commissioning', 'deployed', 'installed'],
    [5, 'inService', 'deployed', 'inService'],
    [6, 'maintenance', 'deployed', 'outOfService'],
    [7, 'inService', 'deployed', 'inService'],
    [8, 'decommissioned', 'retired', 'removed'],
    [9, 'returned', 'retired', 'removed'],
    [10, 'inStock', 'received', 'notYetInstalled'],
  ])('after record %i it is %s: %s, %s', (n, state, phase, deployment) => {
    expect(tell(SECOND.slice(0, n + 1))).toMatchObject({ state, phase, deployment, since: on(SECOND[n][0]) });
  });

  it('is out of service while suspended, and disposed of when recycled', () => {
    expect(tell([...FIRST, [20, 'suspended']])).toMatchObject({ phase: 'deployed', deployment: 'outOfService' });
    expect(tell([...FIRST, [20, 'decommissioned'], [21, 'recycled']])).toMatchObject({
      phase: 'disposed',
      deployment: 'removed',
    });
  });

  it('is silent of an asset without records', () => {
    expect(tell([])).toMatchObject({
      state: null,
      since: null,
      phase: null,
      deployment: null,
      installations: [],
      dwell: { states: {}, phases: {} },
    });
  });

  it('adds up how long each state and phase lasted, the one that lasts up to now', () => {
    const { dwell } = tell(SECOND, 150);
    expect(dwell.states.inService).toEqual({ ms: 87 * DAY, entries: 2, since: null });
    expect(dwell.states.installed).toEqual({ ms: 21 * DAY, entries: 2, since: on(130) });
    expect(dwell.phases.deployed).toEqual({ ms: 111 * DAY, entries: 2, since: on(130) });
    expect(dwell.phases.retired).toEqual({ ms: 20 * DAY, entries: 1, since: null });
    const sum = (all: Story['dwell']['states']) => Object.values(all).reduce((ms, one) => ms + one.ms, 0);
    expect([sum(dwell.states), sum(dwell.phases)]).toEqual([150 * DAY, 150 * DAY]);
  });

  it('gives a length to nothing that begins after the time it is told for', () => {
    const { dwell } = tell(FIRST, 2);
    expect(dwell.states.inTransit.ms).toBe(DAY);
    expect(dwell.states.inService.ms).toBe(0);
  });

  it('numbers the installations, each with who was there before and after', () => {
    const { installations, ...story } = tell(SECOND);
    const place = { region: null, replacedBy: null, replaces: null };
    expect(installations).toEqual([
      {
        ...{ installEpoch: 1, siteId: 'S-1', slot: 'battery-1', cabinet: 'C-1', region: null },
        ...{ fromTime: on(9), toTime: on(100) },
        replaces: { serial: 'PW-0', told: 'record' },
        replacedBy: { serial: 'PW-2', told: 'record' },
      },
      { ...place, installEpoch: 2, siteId: 'S-2', slot: 'battery-7', cabinet: null, fromTime: on(130), toTime: null },
    ]);
    expect(story).toMatchObject({
      installEpoch: 2,
      siteId: 'S-2',
      slot: 'battery-7',
      replaces: null,
      replacedBy: null,
    });
  });

  it('tells the dates of CIM, the newest of each', () => {
    expect(tell(SECOND)).toMatchObject({
      lifecycleDate: {
        ...{ manufacturedDate: on(0), receivedDate: on(4), installationDate: on(130) },
        ...{ removalDate: on(100), retiredDate: on(100) },
      },
      deploymentDate: { installedDate: on(130), inServiceDate: on(52), outOfServiceDate: on(50), removedDate: on(100) },
    });
    const moved = tell([...FIRST, [20, 'decommissioned', { reason: 'moved' }]]);
    expect(moved).toMatchObject({ lifecycleDate: { removalDate: on(20), retiredDate: null } });
  });

  it('counts, and counts a correction for what it corrects', () => {
    const wrong: Entry = [11.5, 'maintenanceStarted', {}, { id: 'm' }];
    const right: Entry = [
      11.5,
      'corrected',
      { supersedes: 'm', type: 'suspended' },
      { id: 'c', recordTime: START + 30 * DAY },
    ];
    expect(tell([...FIRST, wrong, right, [12, 'recycled']])).toMatchObject({
      counts: {
        ...{ records: 9, review: 1, voided: 1, installations: 1, commissionings: 1 },
        ...{ maintenances: 0, suspensions: 1, firmwareUpdates: 0 },
      },
    });
  });
});
