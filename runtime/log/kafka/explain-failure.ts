import { GridfoldError } from '../../kernel/errors.ts';

/** What an error of kafkajs tells; each part may be missing. */
interface Failure {
  readonly name?: string;
  readonly message?: string;
  /** Of the socket or of TLS. */
  readonly code?: string | number;
  /** Of the protocol. */
  readonly type?: string;
  readonly cause?: unknown;
  /** Of a request for many topics. */
  readonly errors?: readonly unknown[];
  readonly topic?: string;
  readonly broker?: string;
}

const TLS = /CERT|^ERR_(SSL|TLS)|^EPROTO$|UNABLE_TO|^(SELF|DEPTH_ZERO)_/;
const SOCKET = /^(ECONN|EHOST|ENET|ETIMEDOUT|ENOTFOUND|EAI_)/;
const NO_ANSWER =
  /^KafkaJS(ConnectionError|ConnectionClosedError|RequestTimeoutError|NoBrokerAvailableError|BrokerNotFound|Timeout)$/;
const NOT_READY =
  /^(LEADER_NOT_AVAILABLE|NOT_LEADER_FOR_PARTITION|NOT_CONTROLLER|REQUEST_TIMED_OUT|BROKER_NOT_AVAILABLE)$/;
const BAD_REQUEST =
  /^(INVALID_(REPLICATION_FACTOR|CONFIG|PARTITIONS|REQUEST|TOPIC_EXCEPTION)|POLICY_VIOLATION|UNSUPPORTED_VERSION)$/;

/** What an error of kafkajs means to whoever runs this, and what to do about it. `brokers` are those that were tried. */
export function explainFailure(error: unknown, brokers: readonly string[]): GridfoldError {
  if (error instanceof GridfoldError) return error;
  const { name = '', message, code = '', type = '', topic, broker } = root(error as Failure);
  const where = broker ?? brokers.join(', ');
  const said = `${topic === undefined ? '' : `${topic}: `}${message ?? String(error)}`;
  const options = { cause: error };
  if (TLS.test(String(code))) {
    const text =
      `TLS with ${where} failed: ${said}. Check that kafka.sslCa holds the authority that signed the broker's certificate, ` +
      'that the certificate names the host in kafka.brokers and is not out of date, and that this port speaks TLS.';
    return new GridfoldError('kafka_tls_failed', 'fix-configuration', text, options);
  }
  if (name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') {
    const text = `${where} refused the login: ${said}. Check mechanism, user and password in kafka.sasl.`;
    return new GridfoldError('kafka_login_refused', 'fix-configuration', text, options);
  }
  if (type.endsWith('AUTHORIZATION_FAILED')) {
    const text = `The brokers do not allow it: ${said}. docs/kafka.md lists the rights that are needed.`;
    return new GridfoldError('kafka_denied', 'fix-configuration', text, options);
  }
  if (BAD_REQUEST.test(type)) {
    return new GridfoldError('kafka_refused', 'fix-configuration', `The brokers refused: ${said}`, options);
  }
  if (NO_ANSWER.test(name) || SOCKET.test(String(code))) {
    const text =
      `No answer from ${brokers.join(', ')}: ${said}. Check kafka.brokers, that the brokers run, the network between, ` +
      'and that kafka.ssl and kafka.sasl are what this port expects.';
    return new GridfoldError('kafka_unreachable', 'retry', text, options);
  }
  if (NOT_READY.test(type)) {
    const text = `The cluster is not ready: ${said}. Try again; where it stays so, a broker that has the only copy is away.`;
    return new GridfoldError('kafka_unreachable', 'retry', text, options);
  }
  return new GridfoldError('kafka_failed', 'stop', `Kafka failed: ${said}`, options);
}

/** The innermost error: kafkajs wraps what happened in how often it tried. */
function root(error: Failure): Failure {
  const inner = error?.errors?.[0] ?? error?.cause;
  if (inner === undefined || inner === null || inner === error) return error ?? {};
  const found = root(inner as Failure);
  return { ...found, name: found.name, message: found.message, topic: found.topic ?? error.topic };
}
