import { expect, it } from 'vitest';
import { GridfoldError } from '../../kernel/errors.ts';
import { explainFailure } from './explain-failure.ts';

const failure = (fields: object) => Object.assign(new Error('what was said'), fields);
const connection = (code?: string) => failure({ name: 'KafkaJSConnectionError', broker: 'a:9092', code });
const tried = (cause: Error) => failure({ name: 'KafkaJSNumberOfRetriesExceeded', cause });

it.each([
  [tried(connection('ECONNREFUSED')), 'kafka_unreachable', 'retry'],
  [tried(connection()), 'kafka_unreachable', 'retry'],
  [failure({ code: 'ENOTFOUND' }), 'kafka_unreachable', 'retry'],
  [failure({ name: 'KafkaJSRequestTimeoutError' }), 'kafka_unreachable', 'retry'],
  [tried(connection('SELF_SIGNED_CERT_IN_CHAIN')), 'kafka_tls_failed', 'fix-configuration'],
  [connection('DEPTH_ZERO_SELF_SIGNED_CERT'), 'kafka_tls_failed', 'fix-configuration'],
  [connection('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'kafka_tls_failed', 'fix-configuration'],
  [connection('ERR_TLS_CERT_ALTNAME_INVALID'), 'kafka_tls_failed', 'fix-configuration'],
  [connection('CERT_HAS_EXPIRED'), 'kafka_tls_failed', 'fix-configuration'],
  [connection('ERR_SSL_WRONG_VERSION_NUMBER'), 'kafka_tls_failed', 'fix-configuration'],
  [failure({ name: 'KafkaJSSASLAuthenticationError' }), 'kafka_login_refused', 'fix-configuration'],
  [failure({ type: 'TOPIC_AUTHORIZATION_FAILED', code: 29 }), 'kafka_denied', 'fix-configuration'],
  [
    failure({ errors: [failure({ type: 'INVALID_REPLICATION_FACTOR', topic: 't' })] }),
    'kafka_refused',
    'fix-configuration',
  ],
  [tried(failure({ type: 'LEADER_NOT_AVAILABLE' })), 'kafka_unreachable', 'retry'],
  [failure({ type: 'UNKNOWN_SERVER_ERROR' }), 'kafka_failed', 'stop'],
  ['a word', 'kafka_failed', 'stop'],
])('%s is %s', (error, code, reaction) => {
  const explained = explainFailure(error, ['a:9092', 'b:9092']);
  expect(explained).toMatchObject({ code, reaction });
  expect(explained.message).toContain(typeof error === 'string' ? error : 'what was said');
  expect(explained.cause).toBe(error);
});

it('names the brokers, the one that refused, or the topic', () => {
  expect(explainFailure(tried(connection()), ['a:9092', 'b:9092']).message).toContain('a:9092, b:9092');
  expect(explainFailure(connection('CERT_HAS_EXPIRED'), ['b:9092']).message).toContain('TLS with a:9092');
  expect(explainFailure(failure({ errors: [failure({ topic: 'g.t' })] }), []).message).toContain('g.t: what was said');
});

it('leaves our own errors as they are', () => {
  const own = new GridfoldError('topics_refused', 'fix-configuration', 'no');
  expect(explainFailure(own, [])).toBe(own);
});
