import { describe, expect, it } from 'vitest';
import { isFence, isTransient, refused } from './failures.ts';
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
