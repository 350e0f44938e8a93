import type { Cursor } from '../../../snapshots/cursor.ts';
import { type ColumnSpec, defineState } from '../../../snapshots/schema.ts';
import { assetColumns } from '../../../runtime/shard/columns.ts';
import { fieldColumns } from '../../../runtime/shard/fields.ts';
import { type DeviceColumns, deviceColumns } from '../columns.ts';
import { inverterFields } from './fields.ts';

const ownColumns = {
  energyDayOwner: { type: 'u32', unit: 'd', doc: 'Local day whose energy the daily counter holds, days since 1970' },
  listDerates: { type: 'u32', doc: 'Causes of derating that events and throttle sources tell' },
  peakW: { type: 'u32', unit: 'W', doc: 'Highest power that two readings in a row kept up' },
  flatW: { type: 'u32', unit: 'W', doc: 'Power with which a run of equal power near the peak began' },
  flatSince: { type: 'f64', unit: 'ms', doc: 'When that run began; 0 = power is not near the peak' },
  lostWh: { type: 'f64', unit: 'Wh', doc: 'Energy lost by throttling since the first reading' },
  stringsOut: { type: 'u8', doc: 'Strings are out: 1 just now, 2 for long enough; 0 = none' },
} as const satisfies Record<string, ColumnSpec>;

type OwnFields = Record<
  | 'energyDayWh'
  | 'energyDayWhAt'
  | 'stateCode'
  | 'stateScheme'
  | 'errorCode'
  | 'throttlePct'
  | 'stringsConnected'
  | 'stringsTotal',
  ColumnSpec
>;

export type InverterColumns = DeviceColumns & typeof ownColumns & OwnFields;
export type InverterAsset = Cursor<InverterColumns>;

export const inverterState = defineState('inverter', 2, {
  ...assetColumns,
  ...deviceColumns,
  ...ownColumns,
  ...fieldColumns(inverterFields),
} as unknown as InverterColumns);
