import type { Random } from '../random.ts';
import type { FleetRates } from './options.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** The steps of an update as the update service tells them, with their time since the first. */
const STEPS = [
  ['scheduled', 0],
  ['downloading', 5 * MINUTE_MS],
  ['staged', 12 * MINUTE_MS],
  ['installing', 15 * MINUTE_MS],
  ['rebooting', 18 * MINUTE_MS],
  ['verifying', 21 * MINUTE_MS],
  ['completed', 23 * MINUTE_MS],
] as const;

const REBOOTING = 4;

export interface FirmwareState {
  readonly version: string;
  readonly update: FirmwareUpdate | null;
}

export interface FirmwareUpdate {
  readonly version: string;
  readonly startedAt: number;
  /** Steps told so far. */
  readonly told: number;
}

export interface FirmwareStep {
  readonly state: FirmwareState;
  /** Phases that began, with their time. */
  readonly phases: readonly { readonly phase: string; readonly version: string; readonly time: number }[];
}

export function firmwareVersion(year: number, week: number, patch: number): string {
  return `${year}.${week}.${patch}`;
}

/** The asset does not speak while it reboots. */
export function isRebooting({ update }: FirmwareState): boolean {
  return update !== null && update.told === REBOOTING + 1;
}

export function stepFirmware(
  state: FirmwareState,
  time: number,
  dtMs: number,
  rates: FleetRates,
  random: Random,
): FirmwareStep {
  const update = state.update ?? beginUpdate(state, time, dtMs, rates, random);
  if (update === null) return { state, phases: [] };
  const due = STEPS.filter(([, afterMs]) => update.startedAt + afterMs <= time).length;
  const phases = STEPS.slice(update.told, due).map(([phase, afterMs]) => {
    return { phase, version: update.version, time: update.startedAt + afterMs };
  });
  const isDone = due === STEPS.length;
  const version = isDone ? update.version : state.version;
  return { state: { version, update: isDone ? null : { ...update, told: due } }, phases };
}

function beginUpdate(
  { version }: FirmwareState,
  time: number,
  dtMs: number,
  rates: FleetRates,
  random: Random,
): FirmwareUpdate | null {
  if (!random.chance((rates.updatesPerDay * dtMs) / DAY_MS)) return null;
  const [year, week, patch] = version.split('.').map(Number);
  const next = week + 4 > 50 ? firmwareVersion(year + 1, 2, 0) : firmwareVersion(year, week + 4, (patch + 1) % 4);
  return { version: next, startedAt: time, told: 0 };
}
