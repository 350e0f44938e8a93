import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deviceType } from '../../../device/index.ts';
import { siteType } from '../../../site/index.ts';
import { ManualClock } from '../../../../runtime/kernel/clock.ts';
import { type DerivedEvent, type DerivedType, tablesOf } from '../../../../runtime/shard/derived.ts';
import { type DuckDbSink, openDuckDbSink } from '../sink.ts';

export const QUARTER_MS = 900_000;
const ROWS = 100_000;

/** Every type that has a table. */
export const allTypes = tablesOf([deviceType, siteType]);

/** What is said of a fact besides its data. */
export interface Saying {
  readonly kind?: string;
  readonly siteId?: string;
  /** When it was received. @default its event time */
  readonly received?: string | number;
  readonly op?: DerivedEvent['op'];
}

/** A DuckDB file in a folder of its own, and facts to fill it with. */
export class Tables {
  readonly sink: DuckDbSink;
  readonly #folder: string;
  #waiting: DerivedEvent[] = [];
  #offset = 0;

  private constructor(folder: string, sink: DuckDbSink) {
    this.#folder = folder;
    this.sink = sink;
  }

  static async open(
    timeZones: Readonly<Record<string, string>> = {},
    types: readonly DerivedType[] = allTypes,
  ): Promise<Tables> {
    const folder = await mkdtemp(join(tmpdir(), 'gridfold-tables-'));
    const file = join(folder, 'olap.duckdb');
    return new Tables(folder, await openDuckDbSink({ file, types, clock: new ManualClock(), timeZones }));
  }

  async remove(): Promise<void> {
    await this.sink.close();
    await rm(this.#folder, { recursive: true });
  }

  /** A fact, or a newer version of it; the key is that of contracts.md, made by the caller. */
  say(type: string, serial: string, key: string, at: string | number, data: object, saying: Saying = {}): this {
    const offset = this.#offset++;
    const { kind = 'powerwall', siteId = null, received = at, op = 'upsert' } = saying;
    this.#waiting.push({
      id: `telemetry-0-${offset}-0`,
      type,
      serial,
      kind,
      siteId,
      eventTime: new Date(at).toISOString(),
      recordTime: new Date(received).toISOString(),
      key: `${serial}/${key}`,
      version: offset + 1,
      op,
      machine: `${kind}@1`,
      data: data as DerivedEvent['data'],
    });
    return this;
  }

  energy(
    serial: string,
    start: string | number,
    inWh: number,
    outWh: number,
    saying: Saying & { coverage?: number } = {},
  ): this {
    const startTime = new Date(start).toISOString();
    const { coverage = 1 } = saying;
    const data = { startTime, lengthS: 900, inWh, outWh, method: 'power', coverage };
    return this.say('energy_interval', serial, `${startTime}/900`, start, data, saying);
  }

  state(serial: string, region: string, state: string, from: string, to: string | null, saying: Saying = {}): this {
    const data = { region, state, fromTime: from, toTime: to };
    return this.say('state_interval', serial, `${region}/${from}`, from, data, saying);
  }

  /** The asset holds a slot; `rest` is what the record of the installation tells besides. */
  holds(
    serial: string,
    siteId: string,
    slot: string,
    from: string,
    to: string | null,
    rest: object = {},
    saying: Saying = {},
  ): this {
    const data = { siteId, slot, serial, fromTime: from, toTime: to, installEpoch: 1, replaces: null, ...rest };
    return this.say('slot_occupancy', serial, `${siteId}/${slot}/${from}`, from, data, saying);
  }

  fault(
    serial: string,
    code: string,
    opened: string,
    closed: string | null,
    recurrence = 0,
    saying: Saying = {},
  ): this {
    const data = {
      code,
      severity: 'critical',
      openedTime: opened,
      closedTime: closed,
      recurrence,
      closedBy: closed && 'cleared',
    };
    return this.say('fault', serial, `${code}/${opened}`, opened, data, saying);
  }

  /** Writes what was said since, and answers a query. */
  async rows(sql: string, parameters: unknown[] = []): Promise<unknown[][]> {
    const events = this.#waiting.splice(0);
    if (events.length > 0) {
      await this.sink.write([{ partition: 0, from: this.#offset - events.length, next: this.#offset, events }]);
    }
    return (await this.sink.query(sql, parameters, ROWS)).rows;
  }
}
