import type { Cursor } from '../../snapshots/cursor.ts';
import type { ColumnSpec, Columns, StateSchema } from '../../snapshots/schema.ts';
import type { AssetColumns } from '../../runtime/shard/columns.ts';
import { connectivityRegion } from './connectivity.machine.ts';
import { healthRegion } from './health.machine.ts';

/**
 * Columns that every kind of device has beside its fields. A region's `Since` is 0 while the region is in the state
 * it had at the first reading (`firstAt`); `Nth` counts transitions at that same time.
 */
export const deviceColumns = {
  firstAt: { type: 'f64', unit: 'ms', doc: 'Device time of the first reading' },
  quiet: { type: 'u8', doc: 'Silence stage that `elapse` has reached; 0 after every reading' },
  voidSince: { type: 'f64', unit: 'ms', doc: 'Start of the run of void readings that lasts; 0 = none' },
  heartbeatAt: { type: 'f64', unit: 'ms', doc: 'When the heartbeat moved last, where it stands still; 0 = it moves' },

  connectivity: {
    type: 'u8',
    default: connectivityRegion.table.stateIndex('online'),
    doc: 'State of region connectivity (never while there is no reading)',
  },
  connectivitySince: { type: 'f64', unit: 'ms', doc: 'When it was entered' },
  connectivityNth: { type: 'u8', doc: 'Number of its transition at that time' },
  health: { type: 'u8', default: healthRegion.table.stateIndex('ok'), doc: 'State of region health' },
  healthSince: { type: 'f64', unit: 'ms', doc: 'When it was entered' },
  healthNth: { type: 'u8', doc: 'Number of its transition at that time' },
  operation: { type: 'u8', doc: 'State of region operation' },
  operationSince: { type: 'f64', unit: 'ms', doc: 'When it was entered' },
  operationNth: { type: 'u8', doc: 'Number of its transition at that time' },
  operationPending: { type: 'u8', doc: 'Event (index + 1) that one more reading confirms; 0 = none' },

  flags: { type: 'u8', doc: 'What the side record holds that readings must heed; see flags.ts' },
  alertBits: { type: 'u8', doc: 'Active alerts that regions depend on; see flags.ts' },
  alertDerates: { type: 'u8', doc: 'Causes of derating told by alerts and lists' },
  derates: { type: 'u32', doc: 'Causes of derating that hold' },
  derated: { type: 'u32', doc: 'Those that have held for more than 60 s' },

  downMs: { type: 'u32', unit: 'ms', doc: 'Time with an open fault, in the local day of the newest reading' },
  unknownMs: { type: 'u32', unit: 'ms', doc: 'Time of which nothing is known, in the same day' },
  nightMs: { type: 'u32', unit: 'ms', doc: 'Time in which a sound inverter was off or asleep, in the same day' },
  capacityHour: { type: 'u32', unit: 'h', doc: 'Hour (since 1970) of the newest sample of what a battery holds' },

  totalInWh: { type: 'f64', unit: 'Wh', doc: 'Energy into the asset since its first reading' },
  totalOutWh: { type: 'f64', unit: 'Wh', doc: 'Energy out of the asset since its first reading' },
  intervalInWh: { type: 'f64', unit: 'Wh', doc: 'Energy in, in the 15 minutes of the newest reading' },
  intervalOutWh: { type: 'f64', unit: 'Wh', doc: 'Energy out, in the 15 minutes of the newest reading' },
  coveredMs: { type: 'u32', unit: 'ms', doc: 'Time covered, in the 15 minutes of the newest reading' },
  holdEnded: { type: 'u8', doc: '1: a void reading ended what the power (bit 0), the counters (bit 1) last said' },
  pendingRows: { type: 'u8', doc: '1: the side record holds energy rows that a counter may still add to' },
  suspectOutWh: {
    type: 'f64',
    unit: 'Wh',
    default: Number.NaN,
    doc: 'Value of the outgoing counter that was impossible',
  },
  suspectInWh: {
    type: 'f64',
    unit: 'Wh',
    default: Number.NaN,
    doc: 'Value of the ingoing counter that was impossible',
  },
} as const satisfies Record<string, ColumnSpec>;

/** Columns of the fields that all kinds have and that the shared parts of the fold read. */
type SharedFields = Record<
  'powerW' | 'powerWAt' | 'energyOutWh' | 'energyOutWhAt' | 'energyInWh' | 'energyInWhAt' | 'heartbeat',
  ColumnSpec
>;

export type DeviceColumns = AssetColumns & typeof deviceColumns & SharedFields;
export type DeviceAsset = Cursor<DeviceColumns>;
export type DeviceSchema<C extends Columns = Columns> = StateSchema<C>;
