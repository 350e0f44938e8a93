import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import type { Sink, SinkBatch } from './contract.ts';
import { sampleBatch, sampleEvent, sampleType } from './testing/samples.ts';

/** A fresh, empty target and the ways a test looks into it and damages it. Sinks are opened with `sampleTypes`. */
export interface SinkTarget {
  /** A new sink on the target; the one before must be closed. */
  open(): Promise<Sink>;
  /** Ids of all rows of all tables, doubled ones as often as they stand there. */
  eventIds(sink: Sink): Promise<string[]>;
  /** Rows of the changelog of a type's table: data as it was written (times RFC 3339, JSON as a value), by event id. */
  written(sink: Sink, table: string): Promise<Map<string, Readonly<Record<string, unknown>>>>;
  /** Keys that the table's current view shows. */
  currentKeys(sink: Sink, table: string): Promise<string[]>;
  /** Writes the row of this id once more, past the ledger. The sink is closed. */
  doubleRow(eventId: string): Promise<void>;
  /** Removes the row of this id. The sink is closed. */
  loseRow(eventId: string): Promise<void>;
  dispose(): Promise<void>;
}

/** What every sink promises, whatever its target (contract.ts). */
export function sinkConformance(name: string, create: () => Promise<SinkTarget>): void {
  describe(`${name} keeps the sink contract`, () => {
    let target: SinkTarget;
    let sink: Sink;

    beforeEach(async () => {
      target = await create();
      sink = await target.open();
    });
    afterEach(async () => {
      await sink.close();
      await target.dispose();
    });
    const reopen = async () => {
      await sink.close();
      sink = await target.open();
    };

    it('starts empty', async () => {
      expect(await sink.ledger()).toEqual([]);
      expect(await sink.audit()).toEqual([]);
      expect(await target.eventIds(sink)).toEqual([]);
    });

    it('writes rows and ledger together', async () => {
      await sink.write([sampleBatch(0, 0, 5), sampleBatch(3, 0, 2), sampleBatch(0, 5, 7)]);
      expect(await sink.ledger()).toEqual([
        { partition: 0, next: 7, rows: 7 },
        { partition: 3, next: 2, rows: 2 },
      ]);
      await expectExactlyOnce({ 0: 7, 3: 2 });
    });

    it('skips what it has and cuts what it half has', async () => {
      await sink.write([sampleBatch(0, 0, 10)]);
      await sink.write([sampleBatch(0, 0, 10)]);
      await sink.write([sampleBatch(0, 3, 6), sampleBatch(0, 8, 12)]);
      await expectExactlyOnce({ 0: 12 });
    });

    it('refuses a gap and a batch of the wrong length, and then goes on', async () => {
      await sink.write([sampleBatch(0, 0, 2)]);
      await expect(sink.write([sampleBatch(1, 0, 2), sampleBatch(0, 3, 5)])).rejects.toMatchObject({
        code: 'sink_offset_gap',
        reaction: 'stop',
        message: expect.stringContaining('[2, 3)'),
      });
      await expect(sink.write([{ ...sampleBatch(0, 2, 4), next: 5 }])).rejects.toMatchObject({
        code: 'sink_batch_invalid',
      });
      await expectExactlyOnce({ 0: 2 });
      await sink.write([sampleBatch(0, 2, 4)]);
      await expectExactlyOnce({ 0: 4 });
    });

    it('goes on from the ledger after a restart', async () => {
      await sink.write([sampleBatch(0, 0, 3)]);
      await reopen();
      expect(await sink.ledger()).toEqual([{ partition: 0, next: 3, rows: 3 }]);
      await sink.write([sampleBatch(0, 1, 6)]);
      await reopen();
      await expectExactlyOnce({ 0: 6 });
    });

    it('writes all or nothing when one event does not fit', async () => {
      await sink.write([sampleBatch(0, 0, 3)]);
      const bad: DerivedEvent = { ...sampleEvent(1, 1), data: { powerW: 'much' } };
      const unknown: DerivedEvent = { ...sampleEvent(1, 1), type: 'no_such_type' };
      for (const event of [bad, unknown]) {
        const batch: SinkBatch = { partition: 1, from: 0, next: 2, events: [sampleEvent(1, 0), event] };
        await expect(sink.write([sampleBatch(0, 3, 6), batch])).rejects.toMatchObject({ reaction: 'stop' });
        await expectExactlyOnce({ 0: 3 });
      }
    });

    it('gives back every type of value as it came', async () => {
      const edge: DerivedEvent = {
        ...sampleEvent(0, 1),
        eventTime: '1969-12-31T23:59:59.999Z',
        data: {
          siteId: 'S-9',
          version: '',
          label: 'line\nbreak, "quote", \u{1f50b}',
          powerW: -1e-300,
          count: Number.MIN_SAFE_INTEGER,
          legal: false,
          openedTime: '2022-11-06T08:30:00.001Z',
          parts: { nested: [null, true, 1.5, 'x'] },
        },
      };
      const empty: DerivedEvent = {
        ...sampleEvent(0, 3),
        data: {
          siteId: null,
          version: null,
          label: null,
          powerW: null,
          count: null,
          legal: null,
          openedTime: null,
          parts: null,
        },
      };
      await sink.write([{ partition: 0, from: 0, next: 3, events: [sampleEvent(0, 0), edge, empty] }]);
      const written = await target.written(sink, sampleType.table);
      expect(written.get(edge.id)).toEqual(edge.data);
      expect(written.get(empty.id)).toEqual({ ...empty.data, siteId: empty.siteId });
      expect(written.get(sampleEvent(0, 0).id)).toEqual({ ...sampleEvent(0, 0).data, siteId: 'S-0' });
    });

    it('shows the newest version of a fact and hides a retracted one', async () => {
      const fact = (offset: number, key: string, version: number, op: 'upsert' | 'retract'): DerivedEvent => ({
        ...sampleEvent(0, 0),
        id: `telemetry-0-${offset}-0`,
        key,
        version,
        op,
      });
      const events = [
        fact(0, 'a', 1, 'upsert'),
        fact(1, 'b', 1, 'upsert'),
        fact(2, 'a', 2, 'upsert'),
        fact(3, 'b', 2, 'retract'),
        fact(4, 'c', 1, 'retract'),
        fact(5, 'c', 2, 'upsert'),
        fact(6, 'd', 9, 'retract'),
        fact(7, 'd', 8, 'upsert'),
      ];
      await sink.write([{ partition: 0, from: 0, next: events.length, events }]);
      expect((await target.currentKeys(sink, sampleType.table)).sort()).toEqual(['a', 'c']);
    });

    it('finds rows that were doubled or lost behind its back', async () => {
      await sink.write([sampleBatch(0, 0, 9), sampleBatch(1, 0, 4)]);
      await sink.close();
      await target.doubleRow(sampleEvent(0, 4).id);
      await target.loseRow(sampleEvent(1, 2).id);
      sink = await target.open();
      expect(await sink.audit()).toEqual([
        { partition: 0, next: 9, rows: 10, doubled: 1, missing: 0 },
        { partition: 1, next: 4, rows: 3, doubled: 0, missing: 1 },
      ]);
    });

    it('is exactly once whatever is repeated, overlaps or restarts', async () => {
      const step = fc.record({ back: fc.nat(6), ahead: fc.nat(6), partition: fc.nat(2), restart: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
          const before = new Map((await sink.ledger()).map((e) => [e.partition, e.next]));
          for (const { back, ahead, partition, restart } of steps) {
            const have = before.get(partition) ?? 0;
            const next = have + ahead;
            if (restart) await reopen();
            await sink.write([sampleBatch(partition, Math.max(0, have - back), next)]);
            before.set(partition, Math.max(have, next));
          }
          await expectExactlyOnce(Object.fromEntries([...before].filter(([, next]) => next > 0)));
        }),
        { numRuns: 10 },
      );
    });

    async function expectExactlyOnce(nexts: Record<number, number>): Promise<void> {
      const ids = Object.entries(nexts).flatMap(([partition, next]) =>
        Array.from({ length: next }, (_, offset) => sampleEvent(Number(partition), offset).id),
      );
      expect((await target.eventIds(sink)).sort()).toEqual(ids.sort());
      const expected = Object.entries(nexts).map(([partition, next]) => ({
        partition: Number(partition),
        next,
        rows: next,
        doubled: 0,
        missing: 0,
      }));
      expect(await sink.audit()).toEqual(expected);
    }
  });
}
