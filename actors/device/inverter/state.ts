import type { Cursor } from '../../../snapshots/cursor.ts';
import { type ColumnSpec, defineState } from '../../../snapshots/schema.ts';
import { assetColumns } from '../../../runtime/shard/columns.ts';
import { fieldColumns } from '../../../runtime/shard/fields.ts';
import { type DeviceColumns, deviceColumns } from '../columns.ts';
import { inverterFields } from './fields.ts';

const ownColumns = {
  energyDayOwner: { type: 'u32', unit: 'd', doc: 'Local day whose energy the daily counter holds, days since 1970' },
  listDerates: { type: 'u8', doc: 'Causes of derating that events and throttle sources tell' },
} as const satisfies Record<string, ColumnSpec>;

type OwnFields = Record<
  'energyDayWh' | 'energyDayWhAt' | 'stateCode' | 'stateScheme' | 'errorCode' | 'throttlePct',
  ColumnSpec
>;

export type InverterColumns = DeviceColumns & typeof ownColumns & OwnFields;
export type InverterAsset = Cursor<InverterColumns>;

export const inverterState = defineState('inverter', 1, {
  ...assetColumns,
  ...deviceColumns,
  ...ownColumns,
  ...fieldColumns(inverterFields),
} as unknown as InverterColumns);
