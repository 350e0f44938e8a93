import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../runtime/kernel/clock.ts';
import { openEmbeddedLog } from '../../runtime/log/embedded/embedded.ts';
import type { Assignment, Member, Membership, Standing } from '../../runtime/log/membership.ts';
import { toyType } from '../../runtime/shard/testing/toy.ts';
import { smallRuntime } from '../../runtime/system/testing/rig.ts';
import { Runtime } from '../../runtime/system/runtime.ts';
import { lamp } from '../../runtime/system/testing/rig.ts';
import { LiveClient, Replica } from '../testing/live-client.ts';
import { serverOver } from '../testing/server.ts';

const partitions = 4;
const serials = Array.from({ length: 40 }, (_, i) => `L${i}`);

/** A group whose shares the test hands out, one index of a member per partition. */
class Group {
  readonly #members: { member: Member; seat: Seat }[] = [];
  #owners: readonly number[] = [];
  #generation = 0;

  seat(): Seat {
    return new Seat((seat, { url, version }) => this.#members.push({ member: { id: url, url, version }, seat }));
  }

  give(...owners: readonly number[]): void {
    const before = this.#owners;
    this.#owners = owners;
    this.#generation += 1;
    this.#members.forEach(({ seat }, index) => {
      const own = owners.flatMap((owner, partition) => (owner === index ? [partition] : []));
      seat.assign({
        generation: this.#generation,
        partitions: own,
        owners: new Map(owners.map((owner, partition) => [partition, this.#members[owner].member])),
        handedOver: new Set(own.filter((partition) => before.length > 0 && before[partition] !== index)),
      });
    });
  }
}

class Seat implements Membership {
  current: Assignment | null = null;
  readonly #join: (seat: Seat, standing: Standing) => void;
  #assigned: (assignment: Assignment) => void = () => {};
  readonly #first = Promise.withResolvers<void>();

  constructor(join: (seat: Seat, standing: Standing) => void) {
    this.#join = join;
  }

  join(standing: () => Standing, assigned: (assignment: Assignment) => void): Promise<void> {
    this.#assigned = assigned;
    this.#join(this, standing());
    return this.#first.promise;
  }

  assign(assignment: Assignment): void {
    this.current = assignment;
    this.#assigned(assignment);
    this.#first.resolve();
  }

  rejoin(): void {}

  async leave(): Promise<void> {
    this.current = null;
  }
}

const dir = mkdtempSync(join(tmpdir(), 'gridfold-group-'));
const closers: (() => Promise<unknown>)[] = [async () => rmSync(dir, { recursive: true, force: true })];
const group = new Group();
let log: Awaited<ReturnType<typeof openEmbeddedLog>>;

async function openProcess(name: string) {
  const runtime = new Runtime({
    types: [toyType],
    log,
    membership: group.seat(),
    handoverTimeoutMs: 2_000,
    mirror: true,
    clock: systemClock,
    dataDir: join(dir, name),
    ...smallRuntime,
    commitIntervalMs: 20,
    snapshotIntervalMs: 60_000,
    observer: () => ({ phase() {}, committed() {}, snapshot() {}, folded() {}, quarantined() {}, failed() {} }),
    message() {},
  });
  const server = await serverOver(runtime);
  const started = runtime.start([], { url: server.url, version: '1' });
  closers.push(async () => {
    await runtime.stop();
    await server.close();
  });
  return { runtime, url: server.url, started };
}

let processes: Awaited<ReturnType<typeof openProcess>>[];
beforeAll(async () => {
  log = await openEmbeddedLog({ dir: join(dir, 'log'), partitions, clock: systemClock });
  closers.push(() => log.close());
  processes = [await openProcess('a'), await openProcess('b'), await openProcess('c')];
  group.give(0, 1, 2, 1);
  await Promise.all(processes.map(({ started }) => started));
});
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const pollMs = 20;

/** Asks until the answer is no more "not now". */
async function answered(url: string, method = 'GET'): Promise<Response> {
  for (;;) {
    const answer = await fetch(url, { method });
    if (answer.status !== 503) return answer;
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ code: expect.stringMatching(/^partition_(moving|not_live)$/) });
    await pause(pollMs);
  }
}

test('partitions move under load: every serial is answered everywhere, and no client misses an update', async () => {
  const clients = await Promise.all(
    processes.map(async ({ url }) => {
      const client = await LiveClient.greeted(url);
      const replica = new Replica();
      client.send({ t: 'sub', id: 'a', select: { filter: 'eq(kind,lamp)' } });
      return { client, replica };
    }),
  );
  const moves = [
    [0, 1, 2, 1],
    [1, 1, 2, 1],
    [1, 0, 2, 2],
    [0, 0, 0, 0],
    [2, 1, 0, 2],
    [0, 1, 2, 1],
  ];
  const rounds = 60;
  let positions: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    if (round % 10 === 0) group.give(...moves[round / 10 - 1]);
    const records = serials.map((key) => ({ key, value: Buffer.from(JSON.stringify(lamp(key, round))) }));
    const places = await processes[round % 3].runtime.produce('telemetry', records);
    positions = places.map(({ partition, next }) => `telemetry:${partition}:${next}`);
    const serial = serials[round % serials.length];
    const { status } = await answered(`${processes[(round + 1) % 3].url}/v1/assets/${serial}?minPos=${positions}`);
    expect(status).toBe(200);
  }
  expect((await answered(`${processes[0].url}/v1/settle`, 'POST')).status).toBe(200);

  for (const { url } of processes) {
    for (const serial of serials) {
      const view = await (await answered(`${url}/v1/assets/${serial}`)).json();
      expect(view).toMatchObject({ serial, counts: { applied: rounds, duplicate: 0 } });
    }
    const fleet = await (await answered(`${url}/v1/fleet`)).json();
    expect(fleet).toMatchObject({ assets: serials.length });
  }
  for (const { client, replica } of clients) {
    const applied = (serial: string) =>
      (replica.held.get(serial)?.document as { counts: { applied: number } } | undefined)?.counts.applied;
    while (!serials.every((serial) => applied(serial) === rounds)) replica.apply(await client.next());
    expect(replica.gaps).toBeGreaterThan(0);
    client.close();
  }
}, 60_000);
