import { Block } from '../../../snapshots/block.ts';
import { type Cursor, cursorFactory, MemorySides } from '../../../snapshots/cursor.ts';
import type { Columns } from '../../../snapshots/schema.ts';
import type { AssetColumns } from '../../../runtime/shard/columns.ts';
import type { AssetConfig, Kind, LifecycleRecord } from '../../../runtime/shard/contract.ts';
import type { DerivedData } from '../../../runtime/shard/derived.ts';
import { FactMap } from '../../../runtime/shard/facts.ts';
import { murmur2 } from '../../../runtime/kernel/hash.ts';
import { Reading } from '../../../runtime/shard/reading.ts';
import { deviceType, kinds } from '../index.ts';

export type AnyCursor = Cursor<AssetColumns & Columns>;

export interface NamedFact {
  readonly type: string;
  readonly key: string;
  readonly at: number;
  readonly data: DerivedData;
}

const encoder = new TextEncoder();

export function kindNamed(name: string): Kind {
  const kind = kinds.find((k) => k.name === name);
  if (kind === undefined) throw new RangeError(`no kind ${name}`);
  return kind;
}

/** An asset in a block of its own, fed with JSON as it comes through the door. For tests. */
export class Fed {
  readonly kind: Kind;
  readonly config: AssetConfig;
  readonly cursor: AnyCursor;
  readonly facts = new FactMap();
  readonly #decoder = deviceType.createDecoder();
  readonly #reading = new Reading();
  readonly serial: string;

  constructor(kindName: string, config: Partial<AssetConfig> = {}, serial = 'T-1') {
    this.kind = kindNamed(kindName);
    this.serial = serial;
    this.config = { ...this.kind.defaults, ...config };
    const block = new Block(0, this.kind.state as unknown as Block['schema']);
    const bytes = encoder.encode(serial);
    block.add(bytes, 0, bytes.length, murmur2(bytes));
    this.cursor = cursorFactory(this.kind.state as never)() as unknown as AnyCursor;
    this.cursor.sides = new MemorySides();
    this.cursor.attach(block, 0);
  }

  /** Decodes and folds one reading; `time` is RFC 3339 or epoch ms. */
  feed(time: string | number, fields: Readonly<Record<string, unknown>>): this {
    return this.feedRecord({ serial: this.serial, kind: this.kind.name, deviceTime: time, fields });
  }

  /** Folds a reading that was decoded elsewhere. */
  fold(reading: Reading): this {
    this.kind.fold(this.cursor, reading, this.config, this.facts);
    return this;
  }

  feedRecord(record: object): this {
    const bytes = encoder.encode(JSON.stringify(record));
    const code = this.#decoder.decode(bytes, 0, bytes.length, Date.UTC(2099, 0, 1), this.#reading);
    if (code !== 0) throw new Error(`refused: ${this.#decoder.reasons[code]}`);
    this.kind.fold(this.cursor, this.#reading, this.config, this.facts);
    return this;
  }

  /** Facts of a type, with the open ones as they stand now, by event time. */
  list(type?: string): NamedFact[] {
    const all = new FactMap();
    for (const [id, fact] of this.facts.byKey) all.byKey.set(id, fact);
    this.kind.open(this.cursor, this.config, all);
    return [...all.byKey.values()]
      .map((f) => ({ type: f.type.name, key: f.key, at: f.eventTime, data: f.data }))
      .filter((f) => type === undefined || f.type === type)
      .sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
  }

  /** Facts as data only. */
  data(type: string): DerivedData[] {
    return this.list(type).map((f) => f.data);
  }

  /** Names of the states a region went through. */
  states(region: string): string[] {
    return this.data('state_interval')
      .filter((d) => d.region === region)
      .map((d) => String(d.state));
  }

  get view() {
    return this.kind.view(this.cursor, null, this.config);
  }

  state(region: string): string {
    return this.view.regions[region].state;
  }
}

export function lifecycleRecord(
  type: string,
  eventTime: string,
  data: Readonly<Record<string, unknown>> = {},
  more: Partial<LifecycleRecord> = {},
): LifecycleRecord {
  const at = Date.parse(eventTime);
  return { id: `${type}@${eventTime}`, type, eventTime: at, recordTime: at, source: 'test', data, ...more };
}
