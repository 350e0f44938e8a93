import type { CursorBase } from '../../snapshots/cursor.ts';
import type { CapacitySide } from './capacity-record.ts';
import type { EfficiencySide } from './efficiency-record.ts';
import type { SessionSide } from './supercharger/session-record.ts';

/** Last value of a text, a list or an unknown field. */
export type ExtraValue = readonly [name: string, value: unknown, deviceTime: number];

/** An alert of the newest list. */
export interface KnownAlert {
  readonly name: string;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** An incident: open, or closed less than 24 h ago. */
export interface FaultRecord {
  readonly code: string;
  readonly severity: string;
  /** What closes it: alerts and reasons by their lists, states by productive evidence. */
  readonly source: 'alert' | 'reason' | 'state';
  readonly opened: number;
  /** Start of its last recurrence. */
  readonly reopened: number;
  readonly closed: number | null;
  readonly closedBy: string | null;
  readonly recurrence: number;
}

/** Bit of a derate cause, since when it holds, and the energy lost before, Wh; null where nobody can tell. */
export type DerateRecord = readonly [bit: number, from: number, lostBefore: number | null];

/** Strings of an inverter that are not connected. */
export interface StringsOut {
  readonly from: number;
  /** Most that were out at once. */
  readonly out: number;
  readonly total: number;
}

/** A time away from the grid that lasts. */
export interface Island {
  readonly from: number;
  readonly outWh: number;
  readonly soc: number;
  readonly intentional: boolean;
}

/** A 15-minute row that has passed, but to which a counter that was not reported since may still add. */
export interface PendingRow {
  /** Start of the row in quarters of an hour since 1970. */
  readonly quarter: number;
  readonly inWh: number;
  readonly outWh: number;
  readonly coveredMs: number;
}

/** A measurement that is beyond its limit. */
export interface Excursion {
  /** Which limit. */
  readonly bit: number;
  readonly from: number;
  readonly peak: number;
  /** It has lasted long enough and is stated. */
  readonly said: boolean;
}

/** What of an asset's state has no fixed size. Immutable: writers replace it. */
export interface DeviceSide {
  readonly extra: readonly ExtraValue[];
  readonly alerts: readonly KnownAlert[];
  readonly faults: readonly FaultRecord[];
  /** Latest close of a fault that is no longer kept; what began before is not opened again under its old time. */
  readonly forgottenTo: number;
  readonly derates: readonly DerateRecord[];
  readonly island: Island | null;
  readonly rows: readonly PendingRow[];
  /** Of an inverter: strings that are out. */
  readonly strings?: StringsOut | null;
  /** Of a battery: what it holds. */
  readonly capacity?: CapacitySide;
  /** Of a battery: where the window of its efficiency began. */
  readonly efficiency?: EfficiencySide;
  /** Of a Megapack: measurements beyond their limit. */
  readonly excursions?: readonly Excursion[];
  /** Of a stall: its sessions. */
  readonly session?: SessionSide;
}

const EMPTY: DeviceSide = { extra: [], alerts: [], faults: [], forgottenTo: 0, derates: [], island: null, rows: [] };

export function readSide(asset: CursorBase): DeviceSide {
  return asset.readSide<DeviceSide>() ?? EMPTY;
}

export function changeSide(asset: CursorBase, change: Partial<DeviceSide>): void {
  asset.writeSide({ ...readSide(asset), ...change });
}
