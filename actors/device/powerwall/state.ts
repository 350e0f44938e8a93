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
  socMoved: {
    type: 'f64',
    doc: 'Sum of all changes of the state of charge, of a battery that does not tell its full energy',
  },
  meters: {
    type: 'u8',
    doc: 'Meters of the home that the asset tells, and those that a void reading ended; see meters.ts',
  },
  meterLoadWh: { type: 'f64', unit: 'Wh', doc: 'Energy of the home, in the 15 minutes of the newest reading' },
  meterSolarWh: { type: 'f64', unit: 'Wh', doc: 'Energy of the roof, in the 15 minutes of the newest reading' },
  meterImportWh: { type: 'f64', unit: 'Wh', doc: 'Energy from the grid, in the 15 minutes of the newest reading' },
  meterExportWh: { type: 'f64', unit: 'Wh', doc: 'Energy to the grid, in the 15 minutes of the newest reading' },
  meterCoveredMs: { type: 'u32', unit: 'ms', doc: 'Time in which all meters are known, in the same 15 minutes' },
} as const satisfies Record<string, ColumnSpec>;

type OwnFields = Record<
  | 'soc'
  | 'energyRemainingWh'
  | 'siteW'
  | 'loadW'
  | 'solarW'
  | 'energyFullWh'
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

export const powerwallState = defineState('powerwall', 2, {
  ...assetColumns,
  ...deviceColumns,
  ...ownColumns,
  ...fieldColumns(powerwallFields),
} as unknown as PowerwallColumns);
