import { type CursorBase, cursorFactory, MemorySides } from '../../snapshots/cursor.ts';
import type { StateSchema } from '../../snapshots/schema.ts';
import type { AnyAsset, AssetColumns } from './columns.ts';
import type { AssetConfig, Kind } from './contract.ts';
import { scratchRow } from './base.ts';

type Limits = readonly [staleMs: number, offlineMs: number];

/**
 * What a partition keeps per kind: the cursor over the asset of the turn, two scratch assets for re-folds,
 * and the configurations in use.
 */
export class KindRuntime {
  readonly kind: Kind;
  readonly index: number;
  readonly asset: AnyAsset;
  readonly before: AnyAsset;
  readonly after: AnyAsset;
  /** Bits of the fields whose value has a fixed size. */
  readonly sized: number;
  readonly #configs = new Map<number, AssetConfig>();
  readonly #limits = new Map<AssetConfig, Limits>();
  /** Whom somebody asked for last, and what was answered: most assets of a kind have one configuration. */
  #limited: AssetConfig;
  #newest: Limits;
  readonly #zoneName: (index: number) => string | null;

  constructor(kind: Kind, index: number, zoneName: (index: number) => string | null) {
    this.kind = kind;
    this.index = index;
    this.#zoneName = zoneName;
    this.#limited = kind.defaults;
    this.#newest = kind.silenceLimits(kind.defaults);
    const create = cursorFactory(kind.state as unknown as StateSchema<AssetColumns>);
    this.asset = create();
    this.before = scratch(create(), kind);
    this.after = scratch(create(), kind);
    this.sized = kind.fields.reduce(
      (mask, f, i) => (f.type === 'number' || f.type === 'enum' || f.type === 'bool' ? mask | (1 << i) : mask),
      0,
    );
  }

  /** Configuration of an asset: what `installed` gave, else the default of the kind. */
  config(cadenceS: number, zone: number): AssetConfig {
    if (cadenceS === 0 && zone === 0) return this.kind.defaults;
    const id = cadenceS * 65536 + zone;
    let config = this.#configs.get(id);
    if (config === undefined) {
      config = {
        cadenceMs: cadenceS === 0 ? this.kind.defaults.cadenceMs : cadenceS * 1000,
        timeZone: (zone === 0 ? null : this.#zoneName(zone)) ?? this.kind.defaults.timeZone,
      };
      this.#configs.set(id, config);
    }
    return config;
  }

  limits(config: AssetConfig): Limits {
    if (config !== this.#limited) {
      let limits = this.#limits.get(config);
      if (limits === undefined) this.#limits.set(config, (limits = this.kind.silenceLimits(config)));
      this.#limited = config;
      this.#newest = limits;
    }
    return this.#newest;
  }

  /** The scratch assets answer with the real one's serial, so that keys of facts are the same. */
  nameScratch(asset: CursorBase): void {
    const serial = asset.block.serialBytes(asset.slot).slice();
    for (const { block } of [this.before, this.after]) {
      block.keys = serial;
      block.keyEnds[0] = serial.length;
    }
  }
}

function scratch(cursor: AnyAsset, kind: Kind): AnyAsset {
  cursor.sides = new MemorySides();
  scratchRow(cursor, kind.state);
  return cursor;
}
