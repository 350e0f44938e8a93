import kafkajs, { type AclEntry, type Admin } from 'kafkajs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/kafka/ports.ts';
import { startBroker, type TestBroker } from '../../test/kafka/broker.ts';
import { describeKafka } from '../../test/kafka/describe-kafka.ts';
import { deviceType } from '../../actors/device/index.ts';
import { siteType } from '../../actors/site/index.ts';
import { topics as logTopics } from '../../runtime/log/contract.ts';
import { wantedTopics } from '../../runtime/log/kafka/topic-needs.ts';
import { systemClock } from '../../runtime/kernel/clock.ts';
import { loadConfig } from '../../runtime/system/config.ts';
import { CERTIFICATE, KEY } from '../../runtime/system/testing/certificate.ts';
import { openLogAndGroup } from '../assembly/log.ts';
import { main } from '../main.ts';
import { fakeIo } from '../testing/fake-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'gridfold-topics-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(kafka: Record<string, unknown>): string {
  const file = join(folder, 'gridfold.json');
  writeFileSync(file, JSON.stringify({ kafka }));
  return file;
}

async function topics(action: string, kafka: Record<string, unknown>, flags: readonly string[] = []) {
  const io = fakeIo();
  const code = await main(['topics', action, '--config', written(kafka), ...flags], io, () => {
    throw new Error('must not be opened');
  });
  return { code, out: io.out(), err: io.err() };
}

describe('gridfold topics', () => {
  it('knows the topics of every type of actor', () => {
    const needs = {
      partitions: 1,
      replicationFactor: null,
      retentionMs: 1,
      retentionBytes: null,
      snapshotIntervalMs: 1,
    };
    const wanted = wantedTopics({ ...needs, prefix: '' }).map(({ name }) => name);
    for (const { topics: of } of [deviceType, siteType]) {
      expect(wanted).toEqual(expect.arrayContaining([of.readings, of.lifecycle, of.journal, of.snapshots]));
    }
    expect(wanted).toEqual(expect.arrayContaining(Object.values(logTopics)));
  });

  it('wants brokers and an action that it knows', async () => {
    expect(await topics('plan', {})).toMatchObject({
      code: 2,
      err: expect.stringContaining('kafka.brokers is not set'),
    });
    expect(await topics('make', {})).toMatchObject({ code: 2, err: expect.stringContaining('neither plan nor apply') });
  });

  it('names the brokers that do not answer, and says no more than that', async () => {
    const brokers = `127.0.0.1:${await freePort()}`;
    const { code, out, err } = await topics('plan', { brokers });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(
      new RegExp(`^gridfold: No answer from ${brokers}: .*Check kafka\\.brokers.*\\[kafka_unreachable\\]\\n$`),
    );
  }, 30_000);

  it('does not take a port that speaks something else for a broker', async () => {
    const server: Server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const { code, err } = await topics('plan', { brokers: `127.0.0.1:${port}`, ssl: true });
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('[kafka_tls_failed]') });
    server.close();
  }, 30_000);
});

describeKafka('gridfold topics on a broker with TLS, SASL and ACLs', ({ unique }) => {
  let broker: TestBroker;
  let admin: Admin;
  let right: Record<string, unknown>;
  const topicPrefix = `${unique('topics')}.`;
  const [sslCert, sslKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  beforeAll(async () => {
    writeFileSync(sslCert, CERTIFICATE);
    writeFileSync(sslKey, KEY);
    broker = await startBroker({
      saslAndTls: true,
      settings: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
        'listener.name.secured.ssl.client.auth': 'required',
        'listener.name.secured.ssl.truststore.type': 'PEM',
        'listener.name.secured.ssl.truststore.location': sslCert,
      },
    });
    const { bootstrap, caFile, user, password } = broker.secured;
    const tls = { ssl: true, sslCa: caFile, sslCert, sslKey };
    right = { brokers: bootstrap, topicPrefix, ...tls, sasl: `scram-sha-512:${user}:${password}` };
    admin = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
  }, 90_000);
  afterAll(async () => {
    await admin?.disconnect();
    await broker?.close();
  });

  type Resource = Pick<AclEntry, 'resourceType' | 'resourceName' | 'resourcePatternType'>;
  const { AclResourceTypes, ResourcePatternTypes } = kafkajs;
  const prefixed = ResourcePatternTypes.PREFIXED;
  const ours = { resourceType: AclResourceTypes.TOPIC, resourceName: topicPrefix, resourcePatternType: prefixed };

  async function allow(on: Resource, ...operations: (keyof typeof kafkajs.AclOperationTypes)[]): Promise<void> {
    const { ALLOW } = kafkajs.AclPermissionTypes;
    const whom = { principal: `User:${broker.secured.user}`, host: '*', permissionType: ALLOW };
    const acl = operations.map((name) => ({ ...on, ...whom, operation: kafkajs.AclOperationTypes[name] }));
    await admin.createAcls({ acl });
    // The controller has confirmed it; the broker learns of it a moment later, and shows what it has learnt.
    const { ANY } = kafkajs.AclOperationTypes;
    const known = async () => {
      const { resources } = await admin.describeAcls({ ...on, ...whom, operation: ANY });
      return resources.flatMap(({ acls }) => acls.map(({ operation }) => operation));
    };
    await expect
      .poll(known, { timeout: 20_000 })
      .toEqual(expect.arrayContaining(acl.map(({ operation }) => operation)));
  }

  it('says which right is missing', async () => {
    const { code, err } = await topics('apply', right);
    expect(code).toBe(1);
    expect(err).toContain('[kafka_denied]');
    expect(err).toContain(topicPrefix);
  });

  it('plans and applies with the rights that the docs list', async () => {
    await allow(ours, 'DESCRIBE', 'DESCRIBE_CONFIGS', 'CREATE', 'ALTER_CONFIGS');
    const flags = ['--partitions', '2'];
    const planned = await topics('plan', right, flags);
    expect(planned).toMatchObject({ code: 0, err: '' });
    expect(planned.out).toMatch(new RegExp(`${topicPrefix}journal +create +cleanup.policy=delete retention.ms=-1`));
    expect(planned.out).toContain(
      'To do with gridfold topics apply: 11 topics created of 2 partitions each, 0 altered.',
    );
    const applied = await topics('apply', right, flags);
    expect(applied).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Done: 11 topics created') });
    const again = await topics('plan', right, ['--json']);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({ ok: true, partitions: 2 });
  });

  it('warns where it may not read the settings, and leaves them alone', async () => {
    const bare = unique('bare.');
    await allow({ ...ours, resourceName: bare }, 'DESCRIBE', 'CREATE');
    const applied = await topics('apply', { ...right, topicPrefix: bare }, ['--partitions', '1']);
    expect(applied).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Done: 11 topics created') });
    const { code, out } = await topics('plan', { ...right, topicPrefix: bare });
    expect(code).toBe(0);
    expect(out).toContain(`warning: ${bare}journal: its settings cannot be read`);
  });

  it('leaves log and group to work with the rights that the docs list', async () => {
    await allow(ours, 'READ', 'WRITE', 'DELETE');
    const group = { resourceType: AclResourceTypes.GROUP, resourceName: 'gridfold' };
    await allow({ ...group, resourcePatternType: ResourcePatternTypes.LITERAL }, 'READ', 'DESCRIBE');
    const ids = { resourceType: AclResourceTypes.TRANSACTIONAL_ID, resourceName: 'gridfold' };
    await allow({ ...ids, resourcePatternType: prefixed }, 'WRITE', 'DESCRIBE');

    const said: string[] = [];
    const { config } = loadConfig({ kinds: {}, file: written(right) });
    const { log, membership } = await openLogAndGroup(config, systemClock, (level, text) => {
      if (level !== 'info') said.push(text);
    });
    const { telemetry, derived, journal, snapshots } = logTopics;
    const record = { key: null, value: Buffer.from('{}') };
    try {
      const standing = { url: 'http://here', version: '1', snapshots: new Map(), owned: [] };
      await membership.join(
        () => standing,
        () => {},
      );
      expect(membership.current?.partitions).toEqual([0, 1]);
      await log.append(telemetry, 0, [record]);
      const claim = await log.claim(journal, 0);
      await log.publish(claim, new Map([[snapshots, [{ ...record, key: Buffer.from('a') }]]]));
      await log.commit(claim, {
        outputs: new Map([[derived, [record]]]),
        journal: Buffer.from('step'),
        position: Buffer.from('here'),
        inputs: new Map([[telemetry, 1]]),
      });
      const { position } = await log.committed(journal, 0);
      expect(Buffer.from(position!).toString()).toBe('here');
      expect(await log.read(telemetry, 0, 0, 1_000)).toHaveLength(1);
      await log.trim(telemetry, 0, { maxAgeMs: 0, maxBytes: 0 }, 1);
      expect(await log.latest(telemetry, 0)).toEqual({ start: 1, end: 1 });
    } finally {
      await membership.leave();
      await log.close();
    }
    expect(said).toEqual([]);
  });

  it('exits with 1 when a topic is refused', async () => {
    const { code, out } = await topics('plan', right, ['--partitions', '3']);
    expect(code).toBe(1);
    expect(out).toContain('refused: ');
    expect(out).toContain('2 partitions there, and partitions is 3');
    const asJson = await topics('plan', right, ['--partitions', '3', '--json']);
    expect(JSON.parse(asJson.out)).toMatchObject({ ok: false });
    const applied = await topics('apply', right, ['--partitions', '3']);
    expect(applied).toMatchObject({ code: 1, out: '', err: expect.stringContaining('[topics_refused]') });
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('logs in with %s', async (mechanism) => {
    const { user, password } = broker.secured;
    expect((await topics('plan', { ...right, sasl: `${mechanism}:${user}:${password}` })).code).toBe(0);
    const { code, err } = await topics('plan', { ...right, sasl: `${mechanism}:${user}:wrong-password` });
    expect(code).toBe(1);
    expect(err).toContain('refused the login');
    expect(err).toContain('[kafka_login_refused]');
    expect(err).not.toContain('wrong-password');
  });

  it('takes the password from a file', async () => {
    const saslPasswordFile = join(folder, 'password');
    writeFileSync(saslPasswordFile, `${broker.secured.password}\n`);
    const sasl = `scram-sha-256:${broker.secured.user}`;
    expect((await topics('plan', { ...right, sasl, saslPasswordFile })).code).toBe(0);
  });

  it.each<[string, () => Record<string, unknown>, string]>([
    ['an authority that did not sign', () => ({ sslCa: undefined }), '[kafka_tls_failed]'],
    ['no certificate where one is asked for', () => ({ sslCert: undefined, sslKey: undefined }), '[kafka_tls_failed]'],
    ['TLS to a port without it', () => ({ brokers: broker.bootstrap }), '[kafka_unreachable]'],
    [
      'no TLS to a port with it',
      () => ({ ssl: false, sslCa: undefined, sslCert: undefined, sslKey: undefined }),
      '[kafka_unreachable]',
    ],
    ['no login where one is asked for', () => ({ sasl: undefined }), '[kafka_'],
  ])(
    'refuses %s',
    async (_, wrong, code) => {
      const { code: exit, err } = await topics('plan', { ...right, ...wrong() });
      expect({ exit, err }).toMatchObject({ exit: 1, err: expect.stringContaining(code) });
    },
    60_000,
  );
});
