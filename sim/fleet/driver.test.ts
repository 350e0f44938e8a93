import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TelemetryValue } from '../record.ts';
import { type Driver, type DriverEvent, type DriverOptions, startDriver } from './driver.ts';
import { calmRates } from './options.ts';

const HOUR_MS = 3_600_000;

interface Request {
  readonly path: string;
  readonly token: string | undefined;
  readonly values: readonly TelemetryValue[];
}

/** A public door that answers as told and remembers what it was given. */
class Door {
  readonly requests: Request[] = [];
  /** Status of the next requests; 200 when there are none left. */
  readonly answers: { status: number; body?: unknown; headers?: Record<string, string> }[] = [];
  underWay = 0;
  mostUnderWay = 0;
  #server = createServer((request, response) => {
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    void this.#read(request).then((taken) => {
      const answer = this.answers.shift() ?? {
        status: 200,
        body: { accepted: taken.values.length, refused: 0, errors: [] },
      };
      if (answer.status < 300) this.requests.push(taken);
      this.underWay -= 1;
      response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body ?? null));
    });
  });

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  telemetry(): TelemetryValue[] {
    return this.requests.filter(({ path }) => path === '/v1/telemetry').flatMap(({ values }) => values);
  }

  async #read(request: IncomingMessage): Promise<Request> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const lines = Buffer.concat(chunks).toString('utf8').trimEnd().split('\n');
    const values = lines.map((line) => JSON.parse(line) as TelemetryValue);
    return { path: request.url as string, token: request.headers.authorization, values };
  }
}

describe('driver', () => {
  let door: Door;
  let url: string;
  let driver: Driver | null;
  let folder: string;
  let events: DriverEvent[];

  beforeEach(async () => {
    door = new Door();
    url = await door.open();
    folder = mkdtempSync(join(tmpdir(), 'gridfold-fleet-'));
    driver = null;
    events = [];
  });

  afterEach(async () => {
    await driver?.stop();
    door.close();
    rmSync(folder, { recursive: true });
  });

  const start = (options: Partial<DriverOptions> = {}) => {
    const onEvent = (event: DriverEvent) => events.push(event);
    driver = startDriver({ url, assets: 5, backfillMs: 6 * HOUR_MS, rates: calmRates, onEvent, ...options });
    return driver;
  };

  test('tells lifecycle first, then the past in order, and is live', async () => {
    const before = Date.now();
    await start({ token: 'secret', batchRecords: 50 }).live;
    expect(door.requests[0].path).toBe('/v1/lifecycle');
    expect(door.requests.every(({ token }) => token === 'Bearer secret')).toBe(true);
    expect(door.requests.every(({ values }) => values.length <= 50)).toBe(true);
    expect(door.mostUnderWay).toBeLessThanOrEqual(2);
    for (const readings of Map.groupBy(door.telemetry(), (value) => value.serial).values()) {
      const times = readings.map((value) => Date.parse(value.deviceTime));
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(readings.length).toBeGreaterThanOrEqual(71);
      expect(times[0]).toBeGreaterThan(before - 6 * HOUR_MS - 1000);
      expect(times.at(-1)).toBeLessThanOrEqual(Date.now());
    }
    expect(driver?.stats()).toMatchObject({ phase: 'live', refused: 0 });
  });

  test('tries again when the door is busy, and loses nothing', async () => {
    const busy = { headers: { 'retry-after': '0' } };
    door.answers.push({ status: 503, ...busy }, { status: 429, ...busy }, { status: 429, ...busy });
    await start().live;
    expect(events.filter(({ type }) => type === 'retry')).toHaveLength(3);
    expect(door.requests.flatMap(({ values }) => values)).toHaveLength(driver!.stats().sent);
    expect(new Set(door.telemetry().map((value) => value.serial)).size).toBe(5);
  });

  test('halves a batch that is too large', async () => {
    door.answers.push({ status: 413 });
    await start({ lanes: 1 }).live;
    const firstTwo = door.requests.slice(0, 2).map(({ path, values }) => [path, values.length]);
    expect(firstTwo).toEqual([
      ['/v1/lifecycle', 15],
      ['/v1/lifecycle', 15],
    ]);
  });

  test('counts refused records and goes on', async () => {
    door.answers.push({ status: 200, body: { accepted: 29, refused: 1, errors: [{ line: 1, reason: 'no_serial' }] } });
    await start({ lanes: 1 }).live;
    expect(driver?.stats().refused).toBe(1);
    expect(events).toContainEqual({ type: 'refused', count: 1, reason: '{"line":1,"reason":"no_serial"}' });
  });

  test('gives up when the door never will', async () => {
    door.answers.push({ status: 401, body: { title: 'no' } }, { status: 401 });
    await expect(start().live).rejects.toMatchObject({ code: 'sim_door_refused' });
    expect(driver?.stats().phase).toBe('failed');
    expect(events.at(-1)?.type).toBe('failed');
  });

  test('goes on where it was stopped', async () => {
    const stateFile = join(folder, 'fleet.json');
    await start({ stateFile }).live;
    await driver!.stop();
    expect(driver!.stats().phase).toBe('stopped');
    expect(readdirSync(folder)).toEqual(['fleet.json']);
    const until = Math.max(...door.telemetry().map((value) => Date.parse(value.deviceTime)));
    const lifecycle = door.requests[0].values;
    door.requests.length = 0;
    await start({ stateFile }).live;
    expect(events.filter(({ type }) => type === 'started').at(-1)).toMatchObject({ resumed: true });
    expect(door.requests[0].values).toEqual(lifecycle);
    for (const { deviceTime } of door.telemetry())
      expect(Date.parse(deviceTime)).toBeGreaterThanOrEqual(until - 300_000);
  });

  test('is the same fleet again when it was stopped before its first reading', async () => {
    const stateFile = join(folder, 'fleet.json');
    const stopAtOnce = (input: Parameters<typeof fetch>[0], init?: RequestInit) => {
      void driver!.stop();
      return fetch(input, init);
    };
    await expect(start({ stateFile, fetch: stopAtOnce }).live).rejects.toThrow('stopped');
    await driver!.stop();
    expect(door.telemetry()).toEqual([]);
    const lifecycle = door.requests.flatMap(({ values }) => values);
    door.requests.length = 0;
    await start({ stateFile }).live;
    const again = door.requests.filter(({ path }) => path === '/v1/lifecycle').flatMap(({ values }) => values);
    expect(again).toHaveLength(lifecycle.length);
    expect(again).toEqual(expect.arrayContaining(lifecycle));
  });

  test('stops while the door does not answer', async () => {
    const hanging = new Promise<Response>(() => {});
    let asked!: () => void;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const never = (_: unknown, init?: RequestInit) => {
      asked();
      const aborted = new Promise<Response>((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
      });
      return Promise.race([hanging, aborted]);
    };
    start({ fetch: never as typeof fetch, stateFile: join(folder, 'fleet.json') });
    await isAsked;
    await driver!.stop();
    expect(driver!.stats()).toMatchObject({ phase: 'stopped', sent: 0 });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('lets the past go by at a chosen speed', async () => {
    await start({ backfillMs: 60_000, speed: 600, cadenceMs: 1000 }).live;
    const times = door.telemetry().map((value) => Date.parse(value.deviceTime));
    expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
    const perAsset = times.length / 5;
    expect(perAsset).toBeGreaterThanOrEqual(59);
  });

  test('refuses options out of bounds', () => {
    expect(() => startDriver({ url, assets: 1, lanes: 0 })).toThrow(
      expect.objectContaining({ code: 'sim_option_invalid' }),
    );
  });
});
