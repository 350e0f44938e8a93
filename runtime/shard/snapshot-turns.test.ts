import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Seat, SnapshotTurns } from './snapshot-turns.ts';

const INTERVAL = 30_000;
const WAIT = INTERVAL / 8;
const START = Date.UTC(2026, 0, 1);

const seatsOf = (turns: SnapshotTurns, count: number) => Array.from({ length: count }, (_, i) => turns.seat(i));

describe('places in the interval', () => {
  test('partitions that begin together take their snapshots one after the other, an interval apart', () => {
    const seats = seatsOf(new SnapshotTurns(INTERVAL, 8), 8);
    let due = seats.map((seat) => seat.dueAfter(START, true));
    for (let round = 1; round < 4; round++) {
      const apart = due.toSorted((a, b) => a - b).map((at, i, all) => (i === 0 ? 0 : at - all[i - 1]));
      expect(apart).toEqual([0, 3750, 3750, 3750, 3750, 3750, 3750, 3750]);
      const next = due.map((at, i) => seats[i].dueAfter(at, false));
      expect(next.map((at, i) => at - due[i])).toEqual(due.map(() => INTERVAL));
      due = next;
    }
  });

  test('a snapshot is due at most an interval after the one before, and comes back to its place', () => {
    const interval = fc.integer({ min: 100, max: 3_600_000 });
    fc.assert(
      fc.property(interval, fc.integer({ min: 1, max: 64 }), fc.nat(), fc.nat(1e9), (ms, count, index, after) => {
        const seat = new SnapshotTurns(ms, count).seat(index % count);
        const home = seat.dueAfter(START, true);
        let at = START + after;
        for (let round = 0; round < 20; round++) {
          const due = seat.dueAfter(at, false);
          expect(due - at).toBeLessThanOrEqual(ms);
          expect(due - at).toBeGreaterThanOrEqual(ms * (7 / 8));
          at = due;
        }
        const spread = Math.floor(ms / Math.ceil(ms / 30_000));
        expect(Math.abs(at - home) % spread).toBe(0);
      }),
    );
  });

  test('an interval of a day is not cut short by more than half a minute', () => {
    for (const seat of seatsOf(new SnapshotTurns(86_400_000, 16), 16)) {
      expect(seat.dueAfter(START + 777, true) - START).toBeGreaterThanOrEqual(86_400_000 - 30_000);
    }
  });
});

describe('turns', () => {
  test('one at a time, in the order in which they asked', () => {
    const [a, b, c] = seatsOf(new SnapshotTurns(INTERVAL, 3), 3);
    expect(a.take(START)).toBe(true);
    expect(b.take(START)).toBe(false);
    expect(c.take(START + 1)).toBe(false);
    a.leave();
    expect(c.take(START + 2)).toBe(false);
    expect(a.take(START + 3)).toBe(false);
    expect(b.take(START + 4)).toBe(true);
    b.leave();
    expect(a.take(START + 5)).toBe(false);
    expect(c.take(START + 6)).toBe(true);
  });

  test('who leaves the queue is not waited for', () => {
    const [a, b, c] = seatsOf(new SnapshotTurns(INTERVAL, 3), 3);
    a.take(START);
    b.take(START);
    c.take(START);
    b.leave();
    a.leave();
    expect(c.take(START + 1)).toBe(true);
  });

  test('who waits for one that does not come to an end goes on without it', () => {
    const [a, b, c] = seatsOf(new SnapshotTurns(INTERVAL, 3), 3);
    a.take(START);
    expect(b.take(START + 1)).toBe(false);
    expect(b.take(START + WAIT)).toBe(false);
    expect(b.take(START + 1 + WAIT)).toBe(true);
    expect(c.take(START + 2 + WAIT)).toBe(false);
    b.leave();
    expect(c.take(START + 3 + WAIT)).toBe(false);
    a.leave();
    expect(c.take(START + 4 + WAIT)).toBe(true);
  });

  test('who asked and does not come any more holds nobody up for long', () => {
    const [a, b, c] = seatsOf(new SnapshotTurns(INTERVAL, 3), 3);
    a.take(START);
    b.take(START);
    a.leave();
    expect(c.take(START + WAIT - 1)).toBe(false);
    expect(c.take(START + WAIT)).toBe(true);
  });

  test('a clock that was set back keeps nobody waiting', () => {
    const [a, b] = seatsOf(new SnapshotTurns(INTERVAL, 2), 2);
    a.take(START);
    expect(b.take(START)).toBe(false);
    expect(b.take(START - 60_000)).toBe(true);
  });

  test('whatever others do, nobody waits longer than an eighth of the interval, and nobody is passed over', () => {
    const step = fc.record({
      seat: fc.nat(5),
      does: fc.constantFrom('take' as const, 'take' as const, 'leave' as const),
      afterMs: fc.nat(900),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const seats = seatsOf(new SnapshotTurns(INTERVAL, 6), 6);
        const asked = new Map<Seat, number>();
        let now = START;
        let holder: Seat | null = null;
        for (const { seat: i, does, afterMs } of steps) {
          now += afterMs;
          const seat = seats[i];
          const since = asked.get(seat) ?? now;
          if (does === 'leave') {
            seat.leave();
            asked.delete(seat);
            if (holder === seat) holder = null;
            continue;
          }
          if (holder === seat) continue;
          const isLate = now - since >= WAIT;
          const isPassedOver = [...asked].some(([other, at]) => other !== seat && at < since && now - at < WAIT);
          const taken = seat.take(now);
          if (isLate) expect(taken).toBe(true);
          else if (taken) expect([holder, isPassedOver]).toEqual([null, false]);
          if (!taken) asked.set(seat, since);
          else asked.delete(seat);
          if (taken) holder ??= seat;
        }
      }),
    );
  });
});
