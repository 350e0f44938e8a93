import { describe, expect, it } from 'vitest';
import { type ConfigError, loadConfig } from './config.ts';
import type { OptionName } from './options.ts';

type Flags = Partial<Record<OptionName, string | boolean>>;

const brokers = { 'kafka.brokers': 'kafka-1.example:9092,kafka-2.example:9092' };
const here = { 'kafka.brokers': '127.0.0.1:9092, localhost:9093,[::1]:9094' };
const tls = { 'kafka.ssl': true };

function problems(flags: Flags): readonly string[] {
  try {
    loadConfig({ kinds: {}, flags });
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}
const warnings = (flags: Flags) => loadConfig({ kinds: {}, flags }).warnings;

describe('names and addresses', () => {
  it.each<[Flags, string]>([
    [{ 'kafka.brokers': 'kafka.example' }, '--kafka-brokers: each must be host:port'],
    [{ 'kafka.brokers': 'kafka://a:9092' }, '"kafka://a:9092" is not'],
    [{ 'kafka.brokers': 'a:9092,b:99999' }, '"b:99999" is not'],
    [{ 'kafka.brokers': ' , ' }, 'must name a broker'],
    [{ 'kafka.topicPrefix': 'a/b' }, '--kafka-topic-prefix: may have letters, digits'],
    [{ 'kafka.topicPrefix': 'x'.repeat(201) }, 'at most 200 characters'],
    [{ 'kafka.advertisedUrl': 'example:80' }, '--kafka-advertised-url: must be an http or https URL'],
    [{ 'schemaRegistry.url': 'http://me:hush@registry:8081' }, 'must not hold a name or password'],
    [{ 'schemaRegistry.url': 'http://a:8081,b:8081' }, 'must be an http or https URL'],
    [{ 'kafka.compression': 'brotli' }, 'must be one of none, gzip, snappy, lz4, zstd'],
  ])('%j is refused', (flags, message) => {
    expect(problems(flags).join('\n')).toContain(message);
    expect(problems(flags).join('\n')).not.toContain('hush');
  });

  it('of this machine and of others are taken', () => {
    expect(problems(here)).toEqual([]);
    expect(problems({ ...brokers, 'kafka.advertisedUrl': 'https://node-1.example/gridfold' })).toEqual([]);
  });
});

describe('TLS and SASL', () => {
  it.each<[string, Flags, string]>([
    ['files without TLS', { 'kafka.sslCa': 'ca.pem' }, 'kafka.sslCa without kafka.ssl'],
    ['a certificate alone', { ...tls, 'kafka.sslCert': 'c.pem' }, 'kafka.sslCert is set alone'],
    ['a key alone', { ...tls, 'kafka.sslKey': 'k.pem' }, 'kafka.sslKey is set alone'],
    ['no user', { ...tls, 'kafka.sasl': 'plain' }, 'kafka.sasl must be mechanism:user:password'],
    ['no password', { ...tls, 'kafka.sasl': 'plain:me' }, 'kafka.sasl has no password'],
    ['another mechanism', { ...tls, 'kafka.sasl': 'gssapi:me:hush' }, 'plain:, scram-sha-256: or scram-sha-512:'],
    [
      'two passwords',
      { ...tls, 'kafka.sasl': 'plain:me:hush', 'kafka.saslPasswordFile': 'f' },
      'kafka.saslPasswordFile names another one',
    ],
    ['a password of nobody', { 'kafka.saslPasswordFile': 'f' }, 'kafka.saslPasswordFile without kafka.sasl'],
    ['a password in clear', { 'kafka.sasl': 'plain:me:hush' }, 'sends the password as it is'],
  ])('refuse %s, without telling the secret', (_, flags, message) => {
    const found = problems({ ...brokers, ...flags }).join('\n');
    expect(found).toContain(message);
    expect(found).not.toContain('hush');
  });

  it('take what fits together', () => {
    const login = { 'kafka.sasl': 'SCRAM-SHA-512:me:hush:with:colons' };
    expect(problems({ ...brokers, ...tls, ...login, 'kafka.sslCa': 'ca.pem' })).toEqual([]);
    expect(problems({ ...here, 'kafka.sasl': 'plain:me:hush' })).toEqual([]);
    expect(problems({ ...brokers, ...tls, 'kafka.sasl': 'plain:me', 'kafka.saslPasswordFile': 'f' })).toEqual([]);
  });
});

describe('warns', () => {
  it('of records that go over the network as they are', () => {
    expect(warnings(brokers)).toEqual([expect.stringContaining('kafka.ssl is not set')]);
    expect(warnings({ ...brokers, ...tls })).toEqual([]);
    expect(warnings(here)).toEqual([]);
  });

  it('of an address that others cannot call', () => {
    const found = warnings({ ...here, host: '0.0.0.0' }).join('\n');
    expect(found).toContain('set kafka.advertisedUrl');
    expect(warnings({ ...here, host: '0.0.0.0', 'kafka.advertisedUrl': 'http://node-1:4343' })).toHaveLength(1);
  });

  it('of options that have no effect', () => {
    expect(warnings({ 'kafka.ssl': true })).toEqual([expect.stringContaining('kafka.ssl without kafka.brokers')]);
  });
});
