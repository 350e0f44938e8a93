import type { Cursor } from '../../../snapshots/cursor.ts';
import { type ColumnSpec, defineState } from '../../../snapshots/schema.ts';
import { assetColumns } from '../../../runtime/shard/columns.ts';
import { fieldColumns } from '../../../runtime/shard/fields.ts';
import { type DeviceColumns, deviceColumns } from '../columns.ts';
import { powerwallFields } from './fields.ts';

const ownColumns = {
  grid: { type: 'u8', doc: 'State of region grid' },
  gridSince: { type: 'f64', unit: 'ms', doc: 'When it was entered' },
  gridNth: { type: 'u8', doc: 'Number of its transition at that time' },
} as const satisfies Record<string, ColumnSpec>;

type OwnFields = Record<
  | 'soc'
  | 'reserveSoc'
  | 'gridStatus'
  | 'inverterState'
  | 'inverterGridState'
  | 'opSeqState'
  | 'availableChargeW'
  | 'availableDischargeW',
  ColumnSpec
>;

export type PowerwallColumns = DeviceColumns & typeof ownColumns & OwnFields;
export type PowerwallAsset = Cursor<PowerwallColumns>;

export const powerwallState = defineState('powerwall', 1, {
  ...assetColumns,
  ...deviceColumns,
  ...ownColumns,
  ...fieldColumns(powerwallFields),
} as unknown as PowerwallColumns);
