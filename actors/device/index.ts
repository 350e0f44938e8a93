import type { SchemaTable } from '../../codec/wire.ts';
import { WireDecoder } from '../../codec/wire-decoder.ts';
import { WireLifecycleDecoder } from '../../codec/wire-lifecycle.ts';
import { type ActorType, type InputSchemas, type Kind, topics } from '../../runtime/shard/contract.ts';
import { derivedTypes } from './facts.ts';
import { memberState } from './member.ts';
import { inverter } from './inverter/inverter.ts';
import { megapack } from './megapack/megapack.ts';
import { powerwall } from './powerwall/powerwall.ts';
import { supercharger } from './supercharger/supercharger.ts';

export { deviceMachines } from './machines.ts';

/** The kinds of devices, in the order that numbers them in readings. */
export const kinds: readonly Kind[] = [powerwall, inverter, supercharger, megapack];

const kindNames: ReadonlySet<string> = new Set(kinds.map((kind) => kind.name));

/** The schemas of a registry, for records that come in other formats than JSON. */
export interface DeviceSchemas {
  readonly table: SchemaTable;
  /** Fills the table before records are folded. */
  readonly input: InputSchemas;
}

/**
 * The actor type of everything that has a serial and sends readings. Without `schemas` it knows those of this version,
 * under the ids of `codec/built-in.ts`, and sets records with others aside.
 */
export function deviceTypeWith(schemas?: DeviceSchemas): ActorType {
  const lifecycle = new WireLifecycleDecoder(kindNames, schemas?.table);
  return {
    name: 'device',
    kinds,
    derived: [...derivedTypes, memberState],
    topics: {
      readings: topics.telemetry,
      lifecycle: topics.lifecycle,
      timers: 'timers',
      journal: topics.journal,
      snapshots: topics.snapshots,
      windows: topics.snapshotWindows,
    },
    order: 'deviceTime',
    schemas: schemas?.input,
    createDecoder: (judged) => new WireDecoder(kinds, { schemas: schemas?.table, judged }),
    decodeLifecycle(bytes, start, end, timestamp, judged) {
      const outcome = lifecycle.decode(bytes, start, end, timestamp, judged);
      if (!outcome.ok) return { ok: false, reason: outcome.reason };
      const { serial, kind, ...record } = outcome.record;
      return { ok: true, serial, kind, record };
    },
  };
}

export const deviceType: ActorType = deviceTypeWith();
