import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ConfigError, loadConfig } from './config.ts';
import { kafkaConnection } from './kafka-connection.ts';
import { registryAccess } from './registry-access.ts';
import { CERTIFICATE, KEY } from './testing/certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'gridfold-kafka-connection-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const cert = file('cert.pem', CERTIFICATE);
const key = file('key.pem', KEY);
const password = file('password', 'hu:sh\n');
const another = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
const otherKey = file('other.pem', String(another.export(pkcs8)));
const locked = file('locked.pem', String(another.export({ ...pkcs8, cipher: 'aes-128-cbc', passphrase: 'x' })));

type File = Record<string, unknown>;
const connect = (kafka: File) => {
  const options = { brokers: ['127.0.0.1:9092', 'localhost:9093'], ...kafka };
  const { config } = loadConfig({ kinds: {}, file: file('config.json', JSON.stringify({ kafka: options })) });
  return kafkaConnection(config, () => {});
};
const problems = (kafka: File): string => {
  try {
    connect(kafka);
    return '';
  } catch (error) {
    return (error as ConfigError).problems.join('\n');
  }
};

describe('a connection', () => {
  it('has what the options say', () => {
    expect(connect({ clientId: 'me', groupId: 'us', topicPrefix: 'x.', compression: 'zstd' })).toMatchObject({
      brokers: ['127.0.0.1:9092', 'localhost:9093'],
      clientId: 'me',
      groupId: 'us',
      topicPrefix: 'x.',
      compression: 'zstd',
      ssl: false,
      sasl: null,
    });
  });

  it('verifies the brokers with the authority that is named, and shows a certificate', () => {
    expect(connect({ ssl: true }).ssl).toEqual({});
    expect(connect({ ssl: true, sslCa: cert }).ssl).toEqual({ ca: [CERTIFICATE] });
    expect(connect({ ssl: true, sslCert: cert, sslKey: key }).ssl).toEqual({ cert: CERTIFICATE, key: KEY });
  });

  it('takes the password from the option, with its colons, or from a file, without its line break', () => {
    const login = { mechanism: 'scram-sha-256', username: 'me' };
    expect(connect({ sasl: 'SCRAM-SHA-256:me:a:b:c' }).sasl).toEqual({ ...login, password: 'a:b:c' });
    expect(connect({ sasl: 'scram-sha-256:me', saslPasswordFile: password }).sasl).toEqual({
      ...login,
      password: 'hu:sh',
    });
  });
});

describe('a file that cannot be used', () => {
  const tls = { ssl: true };
  it.each<[string, File, string]>([
    ['is not there', { ...tls, sslCa: '/nowhere/ca.pem' }, 'kafka.sslCa: /nowhere/ca.pem cannot be read (ENOENT)'],
    ['is a folder', { ...tls, sslCa: folder }, 'cannot be read (EISDIR)'],
    ['is too large', { ...tls, sslCa: file('large', 'x'.repeat(1_048_577)) }, 'larger than 1048576 bytes'],
    ['is no certificate', { ...tls, sslCa: key }, `kafka.sslCa: ${key} holds no certificate`],
    ['is no key', { ...tls, sslCert: cert, sslKey: cert }, `kafka.sslKey: ${cert} holds no key`],
    ['is an encrypted key', { ...tls, sslCert: cert, sslKey: locked }, 'locked.pem is encrypted'],
    [
      'is the key of another',
      { ...tls, sslCert: cert, sslKey: otherKey },
      'other.pem is not the key of the certificate',
    ],
    ['is an empty password', { sasl: 'plain:me', saslPasswordFile: file('empty', '\n') }, 'empty is empty'],
    ['is no password', { sasl: 'plain:me', saslPasswordFile: '/nowhere/p' }, 'kafka.saslPasswordFile: /nowhere/p'],
  ])('%s: option and file are named', (_, kafka, message) => {
    expect(problems(kafka)).toContain(message);
  });

  it('does not hide the others', () => {
    const found = problems({ ...tls, sslCa: '/nowhere/ca.pem', sasl: 'plain:me', saslPasswordFile: '/nowhere/p' });
    expect(found.split('\n')).toHaveLength(2);
  });
});

describe('a registry', () => {
  const access = (schemaRegistry: File) =>
    registryAccess(loadConfig({ kinds: {}, file: file('registry.json', JSON.stringify({ schemaRegistry })) }).config);

  it('is asked with what the options say', () => {
    const url = 'http://a:8081,http://b:8081';
    const urls = ['http://a:8081', 'http://b:8081'];
    expect(access({})).toBeNull();
    expect(access({ url })).toEqual({ urls });
    expect(access({ url, auth: 'me:hu:sh' })).toEqual({ urls, auth: { username: 'me', password: 'hu:sh' } });
    expect(access({ url, auth: 'Bearer abc' })).toEqual({ urls, auth: { token: 'abc' } });
    expect(() => access({ url, auth: 'hush' })).toThrow(/must be user:password, or bearer and a token$/);
  });
});
