import type { Cursor } from '../../../snapshots/cursor.ts';
import { type ColumnSpec, defineState } from '../../../snapshots/schema.ts';
import { assetColumns } from '../../../runtime/shard/columns.ts';
import { fieldColumns } from '../../../runtime/shard/fields.ts';
import { type DeviceColumns, deviceColumns } from '../columns.ts';
import { megapackFields } from './fields.ts';

const ownColumns = {
  control: { type: 'u8', doc: 'State of region control' },
  controlSince: { type: 'f64', unit: 'ms', doc: 'When it was entered' },
  controlNth: { type: 'u8', doc: 'Number of its transition at that time' },
  ratedW: { type: 'u32', unit: 'W', doc: 'Largest available power ever told; 0 = none' },
  tripped: { type: 'u8', doc: 'What an alert says of contactors and ground; see trips.ts' },
  socMoved: { type: 'f64', doc: 'Sum of all changes of the state of charge, up and down' },
  rampUntil: { type: 'f64', unit: 'ms', doc: 'When the newest setpoints should be reached' },
  deviationSince: { type: 'f64', unit: 'ms', doc: 'Since when power is off its setpoint; 0 = it is not' },
  deviationSetpointW: { type: 'f64', unit: 'W', doc: 'Setpoint at that time' },
  deviationErrorWh: { type: 'f64', unit: 'Wh', doc: 'Distance to the setpoint since then, over time' },
  deviationMaxW: { type: 'f64', unit: 'W', doc: 'Largest distance since then' },
  deviationUndeliveredWh: { type: 'f64', unit: 'Wh', doc: 'Energy that fell short of the setpoint since then' },
  deviationSaid: { type: 'u8', doc: '1: it has lasted long enough and is stated' },
  lostWh: { type: 'f64', unit: 'Wh', doc: 'Energy that fell short of the setpoint since the first reading' },
  excursions: { type: 'u8', doc: 'Measurements beyond their limit; see excursions.ts' },
} as const satisfies Record<string, ColumnSpec>;

type OwnFields = Record<
  | 'setpointW'
  | 'soc'
  | 'soh'
  | 'state'
  | 'chargeState'
  | 'availableChargeW'
  | 'availableDischargeW'
  | 'stringsConnected'
  | 'stringsTotal'
  | 'cellVoltageMinV'
  | 'cellVoltageMaxV'
  | 'moduleTempMaxC',
  ColumnSpec
>;

export type MegapackColumns = DeviceColumns & typeof ownColumns & OwnFields;
export type MegapackAsset = Cursor<MegapackColumns>;

export const megapackState = defineState('megapack', 1, {
  ...assetColumns,
  ...deviceColumns,
  ...ownColumns,
  ...fieldColumns(megapackFields),
} as unknown as MegapackColumns);
