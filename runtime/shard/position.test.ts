import { expect, test } from 'vitest';
import { moveFold } from './testing/moved-fold.ts';
import { batchOf, openTestFold } from './testing/test-fold.ts';
import { toyType } from './testing/toy.ts';
import { fireTimers, publishOpen, timersDue } from './timers.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const reading = (minute: number) => ({ serial: 'L', deviceTime: START + minute * MINUTE, level: 1 });

/** What the journal does not tell a replay cannot repeat: a commit would say another clock than its steps lead to. */
test('timers that only seemed to be due, and a pass that publishes nothing, leave the position as it was', async () => {
  const { fold, feed, close } = await openTestFold(toyType);
  feed('telemetry', [reading(0)], START);
  const due = fold.state.due.reduce((a, b) => Math.min(a, b));
  feed('telemetry', [reading(1)], due - 1);
  expect(timersDue(fold, due)).toBe(true);
  publishOpen(fold, due - 1, 100);
  const before = { ...fold.position };
  expect(fireTimers(fold, due, 100)).toBe(0);
  expect(publishOpen(fold, due, 100)).toBe(0);
  expect(fold.position).toEqual(before);
  await close();
});

test('a reading that waits for its window leaves the position as it was', async () => {
  const options = { windowChunkBytes: 64 };
  const stayed = await openTestFold(toyType, options);
  stayed.feed(
    'telemetry',
    Array.from({ length: 60 }, (_, minute) => reading(minute)),
    START,
  );
  const moved = await moveFold(stayed, 1, options);
  const before = { ...moved.fold.position };
  const batch = batchOf([{ ...reading(30), level: 2 }], before.telemetry, START + MINUTE);
  expect(moved.fold.telemetry(batch, 0, 1, START + MINUTE)).toBe(0);
  expect(moved.fold.position).toEqual(before);
  await moved.letAllCome();
  expect(moved.fold.telemetry(batch, 0, 1, START + 2 * MINUTE)).toBe(1);
  expect(moved.fold.position.clock).toBe(START + 2 * MINUTE);
  await stayed.close();
  await moved.close();
});
