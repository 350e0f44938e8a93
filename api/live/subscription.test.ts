import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AssetView } from '../../runtime/system/engine.ts';
import { compileFilter } from '../query/filter.ts';
import { assetView, FakeEngine } from '../testing/fake-engine.ts';
import { type Frame, Replica } from '../testing/live-client.ts';
import { compileProjection } from './document.ts';
import { type Assets, LocalPart } from './local-part.ts';
import type { Selection } from './part.ts';
import { Subscription } from './subscription.ts';

const serials = ['A', 'B', 'C', 'D', 'E'];

function world(select: 'ids' | 'filter', limits: { queueKeys: number; keys?: number; limit?: number }) {
  const engine = new FakeEngine();
  const assets: Assets = {
    view: (serial) => engine.asset(serial),
    document: (view, projection) => projection.build(view),
    page: (filter, query) => engine.assets({ ...query, limit: 2, where: filter.matches }),
  };
  const budget = { keys: limits.keys ?? 100, queueKeys: limits.queueKeys, members: 0, pending: 0 };
  const text = 'gt(values.soc,0.5)';
  const filter = compileFilter(text);
  const projection = compileProjection(['values', 'status']);
  const selection: Selection = select === 'ids' ? { idsByPartition: new Map([[0, serials]]) } : { filter, text };
  const wanted = { id: 's', selection, projection, limit: limits.limit ?? 100, partitions: [0] };
  let part: LocalPart | undefined;
  const subscription = new Subscription(wanted, true, budget, {
    open(_at, opening) {
      part = new LocalPart(opening, assets, () => {
        part = undefined;
      });
      return part;
    },
  });
  subscription.follow({ at: [''], starts: [1] });
  const replica = new Replica();
  const frames: Frame[] = [];
  engine.onChange((changes) => {
    for (const { serial } of changes) {
      const isWanted = select === 'ids' || part?.holds(serial) || filter.matches(engine.asset(serial)!);
      if (isWanted) part?.mark(serial, 1, 0);
    }
  });
  return {
    engine,
    budget,
    subscription,
    replica,
    frames,
    change(serial: string, soc: number | null) {
      const revision = (engine.asset(serial)?.revision ?? 0) + 1;
      engine.change(assetView(serial, { revision, values: { soc, [`f${revision % 3}`]: revision } }));
    },
    take(limit: number) {
      for (const frame of subscription.produce(limit).frames) {
        const received = JSON.parse(JSON.stringify(frame)) as Frame;
        frames.push(received);
        replica.apply(received);
      }
    },
    expected: () =>
      [...engine.views.values()]
        .filter((view: AssetView) => select === 'ids' || filter.matches(view))
        .map((view) => [view.serial, JSON.parse(JSON.stringify(projection.build(view)))])
        .sort(),
    held: () =>
      [...replica.held].map(([serial, { document }]) => [serial, JSON.parse(JSON.stringify(document))]).sort(),
  };
}

const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ serial: fc.constantFrom(...serials), soc: fc.constantFrom(null, 0.2, 0.6, 0.9) }),
  },
  { weight: 2, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 3 }) }) },
);

test.each(['ids', 'filter'] as const)(
  'by %s: whatever changes and however slowly it is read, the client ends with the state of the assets',
  (select) => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (commands, queueKeys) => {
        const it = world(select, { queueKeys });
        for (const one of commands) {
          if ('take' in one) it.take(one.take);
          else it.change(one.serial, one.soc);
          expect(it.budget.pending).toBeLessThanOrEqual(queueKeys);
        }
        while (it.subscription.hasWork) it.take(2);
        expect(it.held()).toEqual(it.expected());
        it.subscription.end();
        expect([it.budget.members, it.budget.pending]).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
  },
);

test('updates that wait are folded into one delta that says how many', () => {
  const it = world('ids', { queueKeys: 10 });
  while (it.subscription.hasWork) it.take(10);
  for (let i = 0; i < 7; i++) it.change('A', 0.1 * i);
  it.take(10);
  expect(it.frames.at(-1)).toMatchObject({ t: 'd', op: 'put', n: 7, seq: 1, k: 'A', rev: 7 });
  it.change('A', 0.9);
  it.take(10);
  expect(it.frames.at(-1)).toMatchObject({ t: 'd', op: 'merge', base: 7, rev: 8, seq: 2 });
  expect(it.frames.at(-1)).not.toHaveProperty('n');
});

test('more changed assets than may wait: a gap is announced and a snapshot follows', () => {
  const it = world('ids', { queueKeys: 2 });
  while (it.subscription.hasWork) it.take(10);
  for (const serial of ['A', 'B', 'C', 'D']) it.change(serial, 1);
  while (it.subscription.hasWork) it.take(10);
  expect(it.frames.slice(1, 3)).toMatchObject([
    { t: 'gap', why: 'overflow', from: 1, to: 3, next: 'snapshot' },
    { t: 'snap', last: true, members: 4 },
  ]);
  expect(it.held()).toEqual(it.expected());
});

test('an asset that begins to match enters whole, and leaves when it stops', () => {
  const it = world('filter', { queueKeys: 10 });
  it.change('A', 0.2);
  while (it.subscription.hasWork) it.take(10);
  it.change('A', 0.7);
  it.take(10);
  it.change('A', 0.3);
  it.take(10);
  expect(it.frames.slice(1)).toMatchObject([
    { op: 'enter', k: 'A', v: { status: 'Standby', values: { soc: 0.7 } } },
    { op: 'leave', k: 'A', base: 2 },
  ]);
});

test('a subscription says once when more assets match than it may hold', () => {
  const it = world('filter', { queueKeys: 10, limit: 1 });
  while (it.subscription.hasWork) it.take(10);
  for (const serial of ['A', 'B', 'C']) it.change(serial, 0.9);
  while (it.subscription.hasWork) it.take(10);
  expect(it.frames.filter((frame) => frame.t === 'err')).toMatchObject([{ code: 'member_limit' }]);
  expect(it.replica.held.size).toBe(1);
});
