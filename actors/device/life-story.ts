import type { LifecycleRecord, LifecycleResult, LifecycleStep } from '../../runtime/shard/contract.ts';
import { FactMap } from '../../runtime/shard/facts.ts';
import { firmwareUpdate, iso, slotOccupancy, stateInterval } from './facts.ts';
import { foldLifecycle } from './lifecycle.ts';

/** Phase of life for people and systems that speak EPCIS or CIM: a projection of the lifecycle state. */
export type Phase = 'manufactured' | 'shipped' | 'received' | 'deployed' | 'retired' | 'disposed';
/** CIM DeploymentStateKind. */
export type Deployment = 'notYetInstalled' | 'installed' | 'inService' | 'outOfService' | 'removed';

const PROJECTION: Readonly<Record<string, readonly [Phase, Deployment]>> = {
  manufactured: ['manufactured', 'notYetInstalled'],
  inTransit: ['shipped', 'notYetInstalled'],
  inStock: ['received', 'notYetInstalled'],
  installed: ['deployed', 'installed'],
  commissioning: ['deployed', 'installed'],
  inService: ['deployed', 'inService'],
  maintenance: ['deployed', 'outOfService'],
  outOfService: ['deployed', 'outOfService'],
  decommissioned: ['retired', 'removed'],
  returned: ['retired', 'removed'],
  recycled: ['disposed', 'removed'],
};

/** How long something was so, and since when it is so now; null where it is not. */
interface Dwell {
  ms: number;
  entries: number;
  since: string | null;
}

/** Another asset, and who told of it: the asset's own record. */
interface Neighbour {
  readonly serial: string;
  readonly told: 'record';
}

/** The whole life of an asset up to `asOf` (epoch ms): the same facts as in the tables, put together. */
export function lifeStory(serial: string, records: readonly LifecycleRecord[], asOf: number): object {
  const facts = new FactMap(false);
  const life = foldLifecycle(serial, records, facts);
  const all = [...facts.byKey.values()];
  const data = (type: string) => all.filter((f) => f.type.name === type).map((f) => f.data);
  const stays = staysOf(data(stateInterval.name));
  const state = stays.at(-1)?.state ?? null;
  const [phase, deployment] = state === null ? [null, null] : PROJECTION[state];
  const installations = installationsOf(data(slotOccupancy.name), life);
  const epochs = life.steps.filter((s) => tookEffect(s) && s.type === 'installed').length;
  return {
    ...{ asOf: iso(asOf), state, since: state === null ? null : iso(life.since), phase, deployment },
    ...{ siteId: life.siteId, slot: life.slot, installEpoch: epochs },
    ...datesOf(life.steps),
    dwell: {
      states: dwellOf(stays, asOf),
      phases: dwellOf(
        stays.map((s) => ({ ...s, state: PROJECTION[s.state][0] })),
        asOf,
      ),
    },
    counts: { ...countsOf(life), installations: epochs, firmwareUpdates: data(firmwareUpdate.name).length },
    installations,
    replaces: installations.at(-1)?.replaces ?? null,
    replacedBy: installations.at(-1)?.replacedBy ?? null,
  };
}

interface Stay {
  readonly state: string;
  readonly from: number;
  readonly to: number | null;
}

type Data = Readonly<Record<string, unknown>>;

function staysOf(intervals: readonly Data[]): Stay[] {
  return intervals
    .filter((d) => d.region === 'lifecycle')
    .map((d) => ({ state: d.state as string, from: d.fromTime as number, to: d.toTime as number | null }))
    .sort((a, b) => a.from - b.from);
}

/** Sums by state; one that follows itself was not entered anew. What begins after `asOf` has no length yet. */
function dwellOf(stays: readonly Stay[], asOf: number): Record<string, Dwell> {
  const sums: Record<string, Dwell> = {};
  stays.forEach(({ state, from, to }, i) => {
    const sum = (sums[state] ??= { ms: 0, entries: 0, since: null });
    const goesOn = i > 0 && stays[i - 1].state === state;
    sum.ms += Math.max(0, Math.min(to ?? asOf, asOf) - from);
    if (!goesOn) sum.entries++;
    if (to === null) sum.since = iso(startOf(stays, i));
  });
  return sums;
}

function startOf(stays: readonly Stay[], i: number): number {
  let first = i;
  while (first > 0 && stays[first - 1].state === stays[i].state) first--;
  return stays[first].from;
}

/** Whether the record changed the state. */
function tookEffect(step: LifecycleStep): boolean {
  return !step.voided && step.from !== step.to;
}

/** Dates of CIM (IEC 61968 LifecycleDate and DeploymentDate); the newest of each, since a life may have several. */
function datesOf(steps: readonly LifecycleStep[]): object {
  const newest = (which: (s: LifecycleStep) => boolean) => {
    const step = steps.findLast((s) => tookEffect(s) && which(s));
    return step === undefined ? null : iso(step.record.eventTime);
  };
  const to = (...states: string[]) => newest((s) => s.to !== null && states.includes(s.to));
  const installed = newest((s) => s.type === 'installed');
  const removed = to('decommissioned');
  const retired = newest((s) => s.to === 'decommissioned' && s.data.reason !== 'moved');
  return {
    lifecycleDate: {
      manufacturedDate: to('manufactured'),
      receivedDate: newest((s) => s.type === 'delivered'),
      installationDate: installed,
      removalDate: removed,
      retiredDate: to('recycled') ?? retired,
    },
    deploymentDate: {
      installedDate: installed,
      inServiceDate: to('inService'),
      outOfServiceDate: to('maintenance', 'outOfService'),
      removedDate: removed,
    },
  };
}

function countsOf({ steps }: LifecycleResult): object {
  const entered = (state: string) => steps.filter((s) => tookEffect(s) && s.to === state).length;
  return {
    records: steps.length,
    review: steps.filter((s) => !s.legal).length,
    voided: steps.filter((s) => s.voided).length,
    commissionings: steps.filter((s) => tookEffect(s) && s.type === 'commissioned').length,
    maintenances: entered('maintenance'),
    suspensions: entered('outOfService'),
  };
}

/** Each stay in a slot, with who was there before and after as far as the asset's own records tell. */
function installationsOf(occupancies: readonly Data[], { steps }: LifecycleResult) {
  const stays = [...occupancies].sort((a, b) => (a.fromTime as number) - (b.fromTime as number));
  const successors = steps.filter((s) => !s.voided && s.legal && s.type === 'replacedBy');
  return stays.map((stay, i) => {
    const { siteId, slot, cabinet, region, installEpoch } = stay;
    const from = stay.fromTime as number;
    const until = (stays[i + 1]?.fromTime as number | undefined) ?? Number.POSITIVE_INFINITY;
    const successor = successors.findLast((s) => s.record.eventTime >= from && s.record.eventTime < until);
    return {
      ...{ installEpoch, siteId, slot, cabinet, region, fromTime: iso(from) },
      toTime: stay.toTime === null ? null : iso(stay.toTime as number),
      replaces: neighbour(stay.replaces),
      replacedBy: neighbour(successor?.data.newSerial),
    };
  });
}

function neighbour(serial: unknown): Neighbour | null {
  return typeof serial === 'string' ? { serial, told: 'record' } : null;
}
