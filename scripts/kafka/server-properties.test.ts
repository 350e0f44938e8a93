import { expect, it } from 'vitest';
import { serverProperties } from './server-properties.ts';

const options = { dataDir: '/data', port: 1001, controllerPort: 1002 };

function parsed(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .trimEnd()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

it('listens in plain text for clients and for its own controller', () => {
  expect(parsed(serverProperties(options))).toMatchObject({
    listeners: 'PLAINTEXT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002',
    'advertised.listeners': 'PLAINTEXT://127.0.0.1:1001',
    'controller.quorum.voters': '1@127.0.0.1:1002',
    'log.dirs': '/data',
  });
});

it('is a node among three: all are voters, and a majority of the replicas has what was confirmed', () => {
  const cluster = { clusterId: 'x', nodeId: 2, controllerPorts: [2001, 1002, 2003] };
  expect(parsed(serverProperties({ ...options, cluster }))).toMatchObject({
    'node.id': '2',
    'controller.quorum.voters': '1@127.0.0.1:2001,2@127.0.0.1:1002,3@127.0.0.1:2003',
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': '3',
    'transaction.state.log.replication.factor': '3',
    'transaction.state.log.min.isr': '2',
  });
  expect(parsed(serverProperties(options))).toMatchObject({ 'node.id': '1', 'min.insync.replicas': '1' });
});

it('tells clients of a proxied listener the address of the proxy', () => {
  const lines = parsed(serverProperties({ ...options, proxied: { port: 1003, advertisedPort: 1004 } }));
  expect(lines.listeners).toContain('PROXIED://127.0.0.1:1003');
  expect(lines['advertised.listeners']).toBe('PLAINTEXT://127.0.0.1:1001,PROXIED://127.0.0.1:1004');
});

it('names the user of a secured listener for each mechanism', () => {
  const secured = { port: 1005, keystore: '/k.p12', keystorePassword: 'kp', user: 'anna', password: 'secret' };
  const lines = parsed(serverProperties({ ...options, secured }));
  expect(lines['listener.name.secured.plain.sasl.jaas.config']).toContain('user_anna="secret";');
  expect(lines['listener.name.secured.sasl.enabled.mechanisms']).toBe('PLAIN,SCRAM-SHA-256,SCRAM-SHA-512');
  expect(lines['ssl.keystore.location']).toBe('/k.p12');
});

it('lets given settings win', () => {
  const settings = { 'offsets.topic.num.partitions': 9, 'num.io.threads': 2 };
  expect(parsed(serverProperties({ ...options, settings }))).toMatchObject({
    'offsets.topic.num.partitions': '9',
    'num.io.threads': '2',
  });
});
