import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agreesWithModel } from './conformance-model.ts';
import { type Claim, type KeyedRecord, type Log, topics } from './contract.ts';
import { allValues, commitWith, nextRecords, numbered, record, text, valuesOf } from './testing/collect.ts';
import type { LogUnderTest } from './testing/under-test.ts';

const everything = { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: 0 };

/**
 * The behaviour that the runtime relies on, as tests. Nothing here knows how a log stores things, where its batches
 * begin, or that offsets written by commits are free of holes; what a log announces late is waited for.
 */
export function logConformance(name: string, makeLog: () => Promise<LogUnderTest>): void {
  describe(`log conformance: ${name}`, () => {
    let under: LogUnderTest;
    let log: Log;

    beforeEach(async () => {
      under = await makeLog();
      log = under.log;
    });

    afterEach(async () => {
      await under.destroy();
    });

    const reopen = async () => {
      log = await under.reopen();
    };

    const failure = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => null,
        (e: unknown) => e,
      );
      expect(error).not.toBeNull();
      return error as { code: string; reaction: string; message: string };
    };

    describe('append and read', () => {
      it('gives contiguous offsets and returns bytes as they were put in', async () => {
        const first = await log.append(topics.telemetry, 0, [
          record('a', 'k'),
          record('', 'k\0\xff'),
          record('\0\xff'),
        ]);
        const second = await log.append(topics.telemetry, 0, numbered(2, 'b'));
        expect(first).toEqual({ start: 0, end: 3 });
        expect(second).toEqual({ start: 3, end: 5 });
        expect(await nextRecords(log, topics.telemetry, 0, 0, 5)).toEqual([
          { offset: 0, key: 'k', value: 'a' },
          { offset: 1, key: 'k\0\xff', value: '' },
          { offset: 2, key: '', value: '\0\xff' },
          { offset: 3, key: 'key-0', value: 'b-0' },
          { offset: 4, key: 'key-1', value: 'b-1' },
        ]);
        expect(log.extent(topics.telemetry, 0)).toEqual({ start: 0, end: 5 });
      });

      it('keeps the order of the calls within a partition, however many are under way', async () => {
        const calls = Array.from({ length: 60 }, (_, i) =>
          log.append(topics.telemetry, i % 2, numbered(1 + (i % 3), `${i}`)),
        );
        await Promise.all(calls);
        for (const partition of [0, 1]) {
          const expected = Array.from({ length: 60 }, (_, i) => i)
            .filter((i) => i % 2 === partition)
            .flatMap((i) => numbered(1 + (i % 3), `${i}`).map(({ value }) => text(value)));
          const found = await nextRecords(log, topics.telemetry, partition, 0, expected.length);
          expect(valuesOf(found)).toEqual(expected);
          expect(found.map(({ offset }) => offset)).toEqual(expected.map((_, i) => i));
        }
      });

      it('keeps topics and partitions apart', async () => {
        await log.append(topics.telemetry, 0, [record('t0')]);
        await log.append(topics.telemetry, 1, [record('t1')]);
        await log.append(topics.lifecycle, 0, [record('l0')]);
        expect(valuesOf(await nextRecords(log, topics.telemetry, 1, 0, 1))).toEqual(['t1']);
        expect(valuesOf(await nextRecords(log, topics.lifecycle, 0, 0, 1))).toEqual(['l0']);
        expect(log.extent(topics.lifecycle, 1)).toEqual({ start: 0, end: 0 });
      });

      it('takes an append of many records and returns them piece by piece', async () => {
        const value = 'x'.repeat(200);
        await log.append(topics.telemetry, 0, numbered(12_000, value));
        const [first] = await log.read(topics.telemetry, 0, 0, 1);
        expect(first.count).toBeGreaterThan(0);
        const found = await nextRecords(log, topics.telemetry, 0, 0, 12_000);
        expect(found.every((r, i) => r.offset === i && r.value === `${value}-${i}` && r.key === `key-${i}`)).toBe(true);
      });

      it('takes a record of a megabyte', async () => {
        const large = 'y'.repeat(900_000);
        await log.append(topics.telemetry, 0, [record('small'), record(large), record('after')]);
        expect(valuesOf(await nextRecords(log, topics.telemetry, 0, 0, 3))).toEqual(['small', large, 'after']);
      });

      it('reads from any offset: the first batch holds it', async () => {
        await log.append(topics.telemetry, 0, numbered(7, 'a'));
        await log.append(topics.telemetry, 0, numbered(7, 'b'));
        await nextRecords(log, topics.telemetry, 0, 0, 14);
        for (let from = 0; from < 14; from++) {
          const [first] = await log.read(topics.telemetry, 0, from, 1);
          expect(first.baseOffset).toBeLessThanOrEqual(from);
          expect(first.baseOffset + first.count).toBeGreaterThan(from);
        }
      });

      it('returns nothing at the end, and refuses offsets that are not there', async () => {
        expect(await log.read(topics.telemetry, 0, 0, 1000)).toEqual([]);
        await log.append(topics.telemetry, 0, numbered(3, 'a'));
        await nextRecords(log, topics.telemetry, 0, 0, 3);
        expect(await log.read(topics.telemetry, 0, 3, 1000)).toEqual([]);
        const error = await failure(log.read(topics.telemetry, 0, 5, 1000));
        expect(error).toMatchObject({ code: 'log_offset_out_of_range', reaction: 'stop' });
        expect(error.message).toContain('3..4');
      });

      it('dates batches when they are accepted', async () => {
        const before = Date.now();
        await log.append(topics.telemetry, 0, numbered(1, 'a'));
        await nextRecords(log, topics.telemetry, 0, 0, 1);
        const [batch] = await log.read(topics.telemetry, 0, 0, 1000);
        expect(Math.abs(batch.timestamp - before)).toBeLessThan(60_000);
      });

      it('an append of nothing changes nothing', async () => {
        await log.append(topics.telemetry, 0, numbered(2, 'a'));
        const { start, end } = await log.append(topics.telemetry, 0, []);
        expect(start).toBe(end);
        await log.append(topics.telemetry, 0, numbered(1, 'b'));
        expect(valuesOf(await nextRecords(log, topics.telemetry, 0, 0, 3))).toEqual(['a-0', 'a-1', 'b-0']);
      });

      it('has everything after it was opened again', async () => {
        await log.append(topics.telemetry, 0, numbered(3, 'a'));
        await log.append(topics.telemetry, 1, numbered(1, 'c'));
        await reopen();
        expect(log.extent(topics.telemetry, 0)).toEqual({ start: 0, end: 3 });
        expect(await log.append(topics.telemetry, 0, numbered(1, 'b'))).toEqual({ start: 3, end: 4 });
        expect(valuesOf(await nextRecords(log, topics.telemetry, 0, 0, 4))).toEqual(['a-0', 'a-1', 'a-2', 'b-0']);
        expect(valuesOf(await nextRecords(log, topics.telemetry, 1, 0, 1))).toEqual(['c-0']);
      });
    });

    describe('onAppend', () => {
      it('tells when records of the partition are readable, until unsubscribed', async () => {
        let calls = 0;
        const told = new Promise<void>((resolve) => {
          log.onAppend(topics.telemetry, 0, resolve);
        });
        const unsubscribe = log.onAppend(topics.telemetry, 0, () => {
          calls += 1;
        });
        unsubscribe();
        await log.append(topics.telemetry, 1, numbered(1, 'other'));
        await log.append(topics.telemetry, 0, numbered(1, 'a'));
        await told;
        expect((await log.read(topics.telemetry, 0, 0, 1000)).length).toBe(1);
        expect(calls).toBe(0);
      });

      it('tells of what commits wrote', async () => {
        const told = new Promise<void>((resolve) => {
          log.onAppend(topics.derived, 1, resolve);
        });
        const claim = await log.claim('journal', 1);
        await log.commit(claim, commitWith({ [topics.derived]: [record('d')] }, 'j'));
        await told;
        expect(valuesOf(await nextRecords(log, topics.derived, 1, 0, 1))).toEqual(['d']);
      });
    });

    describe('commit', () => {
      it('knows no position before the first commit', async () => {
        const { generation } = await log.claim('journal', 0);
        expect(await log.committed('journal', 0)).toEqual({ position: null, generation, journalNext: 0 });
      });

      it('makes outputs, journal record and position visible together, and keeps them', async () => {
        const claim = await log.claim('journal', 0);
        const outputs = { [topics.derived]: numbered(3, 'd'), [topics.deadLetters]: numbered(1, 'x') };
        await log.commit(claim, commitWith(outputs, 'journal-1', 'position-1'));
        await log.commit(claim, commitWith({ [topics.derived]: numbered(2, 'e') }, 'journal-2', 'position-2'));
        const check = async () => {
          const derived = await nextRecords(log, topics.derived, 0, 0, 5);
          expect(valuesOf(derived)).toEqual(['d-0', 'd-1', 'd-2', 'e-0', 'e-1']);
          expect(derived.map(({ key }) => key)).toEqual(['key-0', 'key-1', 'key-2', 'key-0', 'key-1']);
          expect(valuesOf(await nextRecords(log, topics.deadLetters, 0, 0, 1))).toEqual(['x-0']);
          expect(valuesOf(await nextRecords(log, topics.journal, 0, 0, 2))).toEqual(['journal-1', 'journal-2']);
          const { position } = await log.committed('journal', 0);
          expect(text(position as Uint8Array)).toBe('position-2');
        };
        await check();
        await reopen();
        await check();
      });

      it('counts in the latest extent as soon as it is confirmed', async () => {
        const claim = await log.claim('journal', 0);
        await log.commit(claim, commitWith({ [topics.derived]: numbered(3, 'd') }, 'j'));
        expect((await log.latest(topics.derived, 0)).end).toBeGreaterThanOrEqual(3);
      });

      it('writes to the partition of its claim where a record names no other', async () => {
        const claim = await log.claim('journal', 1);
        await log.commit(claim, commitWith({ [topics.derived]: [record('d')] }, 'j'));
        expect(valuesOf(await nextRecords(log, topics.derived, 1, 0, 1))).toEqual(['d']);
        expect(log.extent(topics.derived, 0)).toEqual({ start: 0, end: 0 });
        expect((await log.committed('journal', 0)).position).toBeNull();
      });

      it('may write to other partitions, all or nothing with the rest', async () => {
        const claim = await log.claim('journal', 0);
        const outputs = [
          record('own'),
          { ...record('theirs'), partition: 1 },
          { ...record('theirs too'), partition: 1 },
        ];
        await log.commit(claim, commitWith({ [topics.contributions]: outputs }, 'j'));
        const old = claim;
        await log.claim('journal', 0);
        await failure(log.commit(old, commitWith({ [topics.contributions]: outputs }, 'fenced')));
        await reopen();
        expect(valuesOf(await nextRecords(log, topics.contributions, 0, 0, 1))).toEqual(['own']);
        expect(await allValues(log, topics.contributions, 1)).toEqual(['theirs', 'theirs too']);
      });

      it('keeps journals apart: each has its claims, its positions and its records', async () => {
        const devices = await log.claim('journal', 0);
        const sites = await log.claim('site-journal', 0);
        await log.commit(devices, commitWith({ [topics.derived]: [record('d')] }, 'device step', 'device position'));
        await log.commit(sites, commitWith({ [topics.derived]: [record('s')] }, 'site step', 'site position'));
        await log.claim('site-journal', 0);
        await log.commit(devices, commitWith({}, 'device step 2', 'device position 2'));
        await reopen();
        expect(valuesOf(await nextRecords(log, topics.derived, 0, 0, 2))).toEqual(['d', 's']);
        expect(valuesOf(await nextRecords(log, 'site-journal', 0, 0, 1))).toEqual(['site step']);
        expect(valuesOf(await nextRecords(log, topics.journal, 0, 0, 2))).toEqual(['device step', 'device step 2']);
        const position = async (journal: string) => text((await log.committed(journal, 0)).position as Uint8Array);
        expect(await position('journal')).toBe('device position 2');
        expect(await position('site-journal')).toBe('site position');
      });

      it('says where the journal goes on', async () => {
        const claim = await log.claim('journal', 0);
        const first = await log.commit(claim, commitWith({}, 'one'));
        expect((await log.committed('journal', 0)).journalNext).toBe(first);
        const second = await log.commit(claim, commitWith({}, 'two'));
        await reopen();
        expect((await log.committed('journal', 0)).journalNext).toBe(second);
        expect(valuesOf(await nextRecords(log, topics.journal, 0, first, 1))).toEqual(['two']);
      });

      it('publishes keyed records and tombstones without a journal record, all or nothing, and fenced', async () => {
        const keep = (...records: KeyedRecord[]) => new Map([['snapshots', records]]);
        const [x, y] = ['x', 'y'].map((key) => Buffer.from(key));
        const old = await log.claim('journal', 0);
        await log.commit(old, commitWith({}, 'j'));
        await log.publish(old, keep({ key: x, value: Buffer.from('a') }, { key: y, value: Buffer.from('b') }));
        const current = await log.claim('journal', 0);
        const late = failure(log.publish(old, keep({ key: x, value: Buffer.from('late') })));
        expect(await late).toMatchObject({ code: 'log_fenced', reaction: 'rejoin' });
        await log.publish(current, keep({ key: x, value: Buffer.from('c') }, { key: y, value: null }));
        const found = await nextRecords(log, 'snapshots', 0, 0, 4);
        expect(found.map(({ key, value }) => [key, value])).toEqual([
          ['x', 'a'],
          ['y', 'b'],
          ['x', 'c'],
          ['y', ''],
        ]);
        expect(valuesOf(await nextRecords(log, topics.journal, 0, 0, 1))).toEqual(['j']);
        expect(text((await log.committed('journal', 0)).position as Uint8Array)).toBe('j');
      });

      it('may consist of a journal record only', async () => {
        const claim = await log.claim('journal', 0);
        await log.commit(claim, commitWith({}, 'clock step'));
        expect(valuesOf(await nextRecords(log, topics.journal, 0, 0, 1))).toEqual(['clock step']);
      });
    });

    describe('fence', () => {
      const expectFenced = async (claim: Claim) => {
        const error = await failure(log.commit(claim, commitWith({ [topics.derived]: [record('late')] }, 'late')));
        expect(error).toMatchObject({ code: 'log_fenced', reaction: 'rejoin' });
      };

      it('every claim is newer than all before, also after opening again', async () => {
        const first = await log.claim('journal', 0);
        const second = await log.claim('journal', 0);
        expect(second.generation).toBeGreaterThan(first.generation);
        await reopen();
        expect((await log.claim('journal', 0)).generation).toBeGreaterThan(second.generation);
      });

      it('a fenced commit writes nothing', async () => {
        const old = await log.claim('journal', 0);
        await log.commit(old, commitWith({ [topics.derived]: [record('a')] }, 'a'));
        const current = await log.claim('journal', 0);
        await expectFenced(old);
        await log.commit(current, commitWith({ [topics.derived]: [record('b')] }, 'b'));
        await expectFenced(old);
        await log.commit(current, commitWith({ [topics.derived]: [record('c')] }, 'c'));
        expect(valuesOf(await nextRecords(log, topics.derived, 0, 0, 3))).toEqual(['a', 'b', 'c']);
        expect(valuesOf(await nextRecords(log, topics.journal, 0, 0, 3))).toEqual(['a', 'b', 'c']);
        expect(text((await log.committed('journal', 0)).position as Uint8Array)).toBe('c');
      });

      it('holds while a commit and a claim are under way together', async () => {
        const old = await log.claim('journal', 0);
        const outcome = log.commit(old, commitWith({}, 'old')).then(
          () => ['old'],
          () => [],
        );
        const current = await log.claim('journal', 0);
        await expectFenced(old);
        await log.commit(current, commitWith({}, 'new'));
        const expected = [...(await outcome), 'new'];
        expect(valuesOf(await nextRecords(log, topics.journal, 0, 0, expected.length))).toEqual(expected);
      });

      it('does not reach other partitions', async () => {
        const zero = await log.claim('journal', 0);
        await log.claim('journal', 1);
        await log.commit(zero, commitWith({}, 'still mine'));
        expect(text((await log.committed('journal', 0)).position as Uint8Array)).toBe('still mine');
      });
    });

    describe('trim', () => {
      it('removes what retention lets go, never past the given offset, and keeps it so', async () => {
        let end = 0;
        for (const part of ['a', 'b', 'c']) end = (await log.append(topics.telemetry, 0, numbered(10, part))).end;
        await nextRecords(log, topics.telemetry, 0, 0, end);
        const keepAll = { maxAgeMs: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
        expect(await log.trim(topics.telemetry, 0, keepAll, end)).toEqual({ start: 0, end });
        const { start } = await log.trim(topics.telemetry, 0, everything, 25);
        expect(start).toBeLessThanOrEqual(25);
        const rest = await nextRecords(log, topics.telemetry, 0, start, end - start);
        expect(rest.map(({ offset }) => offset)).toEqual(Array.from({ length: end - start }, (_, i) => start + i));
        expect(await log.trim(topics.telemetry, 0, everything, end)).toEqual({ start: end, end });
        const error = await failure(log.read(topics.telemetry, 0, 2, 1000));
        expect(error).toMatchObject({ code: 'log_offset_out_of_range', reaction: 'stop' });
        expect(error.message).toContain(`2..${end - 1}`);
        await reopen();
        expect(log.extent(topics.telemetry, 0)).toEqual({ start: end, end });
        expect(await log.append(topics.telemetry, 0, numbered(1, 'd'))).toEqual({ start: end, end: end + 1 });
        expect(valuesOf(await nextRecords(log, topics.telemetry, 0, end, 1))).toEqual(['d-0']);
      });
    });

    it('refuses every call once it is closed', async () => {
      const claim = await log.claim('journal', 0);
      const last = log.append(topics.telemetry, 0, numbered(1, 'accepted'));
      await log.close();
      await last;
      await log.close();
      const calls = [
        () => log.append(topics.telemetry, 0, numbered(1, 'a')),
        () => log.read(topics.telemetry, 0, 0, 1000),
        () => log.claim('journal', 0),
        () => log.commit(claim, commitWith({}, 'j')),
        () => log.committed('journal', 0),
        () => log.trim(topics.telemetry, 0, everything, 1),
      ];
      for (const call of calls) expect(await failure(call())).toMatchObject({ code: 'log_closed', reaction: 'stop' });
    });

    it('agrees with a list in memory under any sequence of calls', { timeout: 60_000 }, () => agreesWithModel(makeLog));
  });
}
