import { describe, expect, it } from 'vitest';
import { closed, isFence, isTransient, refused, weightiest } from './failures.ts';
import { protocolError } from './wire/kafkajs.ts';

const named = (name: string) => Object.assign(new Error('it'), { name });

describe('an error of the broker', () => {
  it.each([
    ['another leader', protocolError(6)],
    ['another coordinator', protocolError(16)],
    ['a transaction that is being finished', protocolError(51)],
    ['too few replicas in sync', protocolError(19)],
    ['a closed connection', named('KafkaJSConnectionClosedError')],
    ['no answer', named('KafkaJSRequestTimeoutError')],
    [
      'what kafkajs gave up on',
      Object.assign(named('KafkaJSNumberOfRetriesExceeded'), { cause: named('KafkaJSConnectionError') }),
    ],
    ['a refused socket', Object.assign(new Error('it'), { code: 'ECONNREFUSED' })],
  ])('passes by itself: %s', (_, error) => {
    expect([isTransient(error), isFence(error)]).toEqual([true, false]);
  });

  it.each([
    ['an old epoch', protocolError(47)],
    ['an id that was given to another', protocolError(49)],
    ['a newer producer', protocolError(90)],
    ['one under a GridfoldError', refused('this', protocolError(47))],
  ])('fences: %s', (_, error) => {
    expect([isTransient(error), isFence(error)]).toEqual([false, true]);
  });

  it.each([
    ['no right to the topic', protocolError(29)],
    ['too large a batch', protocolError(10)],
    ['a wrong password', named('KafkaJSSASLAuthenticationError')],
    ['a fault of ours', new TypeError('undefined is not a function')],
  ])('is neither: %s', (_, error) => {
    expect([isTransient(error), isFence(error)]).toEqual([false, false]);
  });
});

describe('of failures side by side', () => {
  const rising = [protocolError(10), protocolError(20), protocolError(29), protocolError(47)];
  const pairs = rising.flatMap((less, i) => rising.slice(i + 1).map((more) => [less, more] as const));

  it.each(pairs)('%s weighs less than %s, in either order', (less, more) => {
    expect(weightiest([less, more])).toBe(more);
    expect(weightiest([more, less])).toBe(more);
  });

  it('the log being closed weighs more than a refused record: nothing can be given up any more', () => {
    const end = closed();
    expect(weightiest([refused('this', protocolError(10)), end])).toBe(end);
  });
});
