import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deviceType } from '../../actors/device/index.ts';
import type { RecordBatch } from '../../runtime/log/contract.ts';
import type { ActorType } from '../../runtime/shard/contract.ts';
import type { DerivedEvent } from '../../runtime/shard/derived.ts';
import { PartitionFold } from '../../runtime/shard/fold.ts';
import { decodeDeadLetter } from '../../runtime/shard/outputs.ts';
import { startPosition } from '../../runtime/shard/position.ts';
import { anythingUnpublished, fireTimers, publishOpen } from '../../runtime/shard/timers.ts';
import type { AssetView } from '../../runtime/system/engine.ts';
import { assetView } from '../../runtime/system/view.ts';
import { openPartitionState } from '../../snapshots/store.ts';
import type { Arrival, Scenario } from './script.ts';

/** How far behind the asset's newest device time a reading may come and still be folded in, as the runtime has it. */
export const HORIZON_MS = 86_400_000;
const AT_ONCE = 10_000;

/** A fact as the `_current` tables show it. */
export interface CurrentFact {
  readonly type: string;
  readonly key: string;
  readonly serial: string;
  readonly eventTime: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Refusal {
  readonly reason: string;
  /** Index of the arrival that was set aside, in the order in which they were told. */
  readonly told: number;
}

/** A partition of the runtime with nobody but the scenario's assets in it: the real fold over a state of its own. */
export class Stage {
  readonly #fold: PartitionFold;
  readonly #dir: string;
  readonly #newest = new Map<string, DerivedEvent>();
  readonly #refused: Refusal[] = [];
  /** Which arrival each offset of the two topics was. */
  readonly #told = { telemetry: [] as number[], lifecycle: [] as number[] };
  #count = 0;

  private constructor(fold: PartitionFold, dir: string) {
    this.#fold = fold;
    this.#dir = dir;
  }

  static async open(scenario: Scenario): Promise<Stage> {
    const type = configured(scenario);
    const dir = mkdtempSync(join(tmpdir(), 'gridfold-scenario-'));
    const schemas = type.kinds.map((kind) => kind.state);
    const state = await openPartitionState({ dir, schemas, blocksPerKind: 16, message: () => {} });
    const options = { type, partition: 0, partitions: 1, state, position: startPosition(), horizonMs: HORIZON_MS };
    return new Stage(new PartitionFold(options), dir);
  }

  /** The partition clock reads `clock`: silences that have lasted long enough are announced. */
  advance(clock: number): void {
    fireTimers(this.#fold, clock, AT_ONCE);
    this.#collect();
  }

  /** The log accepts a record at `accepted`; it is folded while the partition clock reads `clock`. */
  tell(arrival: Arrival, clock: number, accepted = clock): void {
    const { position } = this.#fold;
    const batch = batchOf(arrival, position[arrival.topic], accepted);
    this.#told[arrival.topic].push(this.#count++);
    if (arrival.topic === 'telemetry') this.#fold.telemetry(batch, 0, 1, clock);
    else this.#fold.lifecycle(batch, 0, 1, clock);
    this.#collect();
  }

  /** The input idles: what is open is published too. */
  publish(): void {
    while (anythingUnpublished(this.#fold)) publishOpen(this.#fold, this.#fold.position.clock, AT_ONCE);
    this.#collect();
  }

  /** Newest version of each fact that is not retracted, by type and key. */
  current(): ReadonlyMap<string, CurrentFact> {
    const current = new Map<string, CurrentFact>();
    for (const id of [...this.#newest.keys()].sort()) {
      const { type, key, serial, eventTime, data, op } = this.#newest.get(id) as DerivedEvent;
      if (op === 'upsert') current.set(id, { type, key, serial, eventTime, data });
    }
    return current;
  }

  get refused(): readonly Refusal[] {
    return this.#refused;
  }

  /** The asset as the doors show it; null where nobody told of it. */
  view(serial: string): AssetView | null {
    const runtime = this.#fold.lookup(new TextEncoder().encode(serial));
    return runtime === null ? null : assetView(this.#fold, runtime);
  }

  async close(): Promise<void> {
    await this.#fold.state.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #collect(): void {
    const { outputs } = this.#fold;
    for (const { value } of outputs.derived) {
      const event = JSON.parse(new TextDecoder().decode(value)) as DerivedEvent;
      const id = `${event.type} ${event.key}`;
      const known = this.#newest.get(id);
      if (known === undefined || event.version >= known.version) this.#newest.set(id, event);
    }
    for (const { value } of outputs.deadLetters) {
      const { topic, offset, reason } = decodeDeadLetter(value);
      const told = this.#told[topic === deviceType.topics.lifecycle ? 'lifecycle' : 'telemetry'][offset];
      this.#refused.push({ reason, told });
    }
    outputs.take();
  }
}

/** The device type with the cadence and the zone that the scenario gives its kinds, as a configuration file would. */
function configured({ assets }: Scenario): ActorType {
  const kinds = deviceType.kinds.map((kind) => {
    const asset = assets.find((a) => a.kind === kind.name);
    if (asset === undefined) return kind;
    const cadenceMs = asset.cadenceMs ?? kind.defaults.cadenceMs;
    return { ...kind, defaults: { cadenceMs, timeZone: asset.timeZone ?? kind.defaults.timeZone } };
  });
  return { ...deviceType, kinds };
}

function batchOf({ serial, record }: Arrival, baseOffset: number, timestamp: number): RecordBatch {
  const key = Buffer.from(serial);
  const value = Buffer.from(JSON.stringify(record));
  return {
    baseOffset,
    count: 1,
    timestamp,
    bytes: Buffer.concat([key, value]),
    keyStart: Uint32Array.of(0),
    keyEnd: Uint32Array.of(key.length),
    valueEnd: Uint32Array.of(key.length + value.length),
  };
}
