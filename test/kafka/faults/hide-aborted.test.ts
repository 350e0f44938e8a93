import { expect, test } from 'vitest';
import { type FetchedMessage, hideAborted } from './hide-aborted.ts';

const record = (offset: number, producerId: string, inTransaction = true): FetchedMessage => ({
  offset: String(offset),
  key: null,
  isControlRecord: false,
  batchContext: { producerId, inTransaction },
});
const marker = (offset: number, producerId: string, type: 'abort' | 'commit'): FetchedMessage => ({
  ...record(offset, producerId),
  key: Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]),
  isControlRecord: true,
});
const shown = (messages: readonly FetchedMessage[]) =>
  messages.filter((m) => !m.isControlRecord).map(({ offset }) => Number(offset));

test('of two aborted transactions that overlap nothing is shown, whichever ended first', () => {
  const messages = [
    record(0, 'a'),
    record(1, 'b'),
    record(2, 'c'),
    marker(3, 'b', 'abort'),
    record(4, 'b'),
    marker(5, 'a', 'abort'),
    marker(6, 'c', 'commit'),
    marker(7, 'b', 'commit'),
  ];
  const abortedTransactions = [
    { producerId: 'b', firstOffset: '1' },
    { producerId: 'a', firstOffset: '0' },
  ];
  hideAborted({ abortedTransactions, messages });
  expect(shown(messages)).toEqual([2, 4]);
});

test('an answer that begins within several of them hides the rest of each', () => {
  const messages = [record(12, 'b'), record(13, 'a'), record(14, 'a', false), record(15, 'd')];
  const abortedTransactions = [
    { producerId: 'a', firstOffset: '3' },
    { producerId: 'b', firstOffset: '1' },
  ];
  hideAborted({ abortedTransactions, messages });
  expect(shown(messages)).toEqual([14, 15]);
});
