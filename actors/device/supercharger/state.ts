import type { Cursor } from '../../../snapshots/cursor.ts';
import { type ColumnSpec, defineState } from '../../../snapshots/schema.ts';
import { assetColumns } from '../../../runtime/shard/columns.ts';
import { fieldColumns } from '../../../runtime/shard/fields.ts';
import { type DeviceColumns, deviceColumns } from '../columns.ts';
import { superchargerFields } from './fields.ts';

const ownColumns = {
  session: { type: 'u8', doc: 'State of region session' },
  sessionSince: { type: 'f64', unit: 'ms', doc: 'When it was entered' },
  sessionNth: { type: 'u8', doc: 'Number of its transition at that time' },
  sessionStart: { type: 'f64', unit: 'ms', doc: 'Start of the session that is open; 0 = none' },
  sessionBaseWh: { type: 'f64', unit: 'Wh', doc: '`totalInWh` at its start' },
  sessionMaxW: { type: 'f64', unit: 'W', default: Number.NaN, doc: 'Highest power into the vehicle in it' },
  sessionOfferW: { type: 'f64', unit: 'W', default: Number.NaN, doc: 'Highest power that was offered in it' },
  sessionLimitedMs: { type: 'u32', unit: 'ms', doc: 'Time in it in which the stall gave less than was asked for' },
  sessionIdleSince: { type: 'f64', unit: 'ms', doc: 'When the vehicle stopped to take energy in it; 0 = it takes' },
  sessionSocFrom: { type: 'f64', default: Number.NaN, doc: "The vehicle's first state of charge in it" },
  sessionSeq: { type: 'u32', doc: 'Number of its newest message + 1; 0 = none' },
  lostWh: { type: 'f64', unit: 'Wh', doc: 'Energy that was asked for and not offered, since the first reading' },
  sessionSeqGaps: { type: 'u32', doc: 'Messages of it that are missing' },
} as const satisfies Record<string, ColumnSpec>;

type OwnFields = Record<
  | 'status'
  | 'errorCode'
  | 'vehicleW'
  | 'offeredW'
  | 'offeredWAt'
  | 'requestedW'
  | 'requestedWAt'
  | 'deliveredWh'
  | 'vehicleSoc'
  | 'seqNo',
  ColumnSpec
>;

export type SuperchargerColumns = DeviceColumns & typeof ownColumns & OwnFields;
export type SuperchargerAsset = Cursor<SuperchargerColumns>;

export const superchargerState = defineState('supercharger', 1, {
  ...assetColumns,
  ...deviceColumns,
  ...ownColumns,
  ...fieldColumns(superchargerFields),
} as unknown as SuperchargerColumns);
