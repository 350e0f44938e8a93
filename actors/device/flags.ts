/** Bits of column `flags`. */
export const Flag = {
  /** `disabledReasons` is not empty. */
  disabled: 1,
  /** A fault is open. */
  faultOpen: 2,
  /** A fault that closed less than 24 h ago is kept, since it may come back. */
  faultRecent: 4,
  /** An alert below critical is active. */
  warningAlert: 8,
  /** An error code is reported that stops nothing. */
  warningCode: 16,
  /** The asset says that it is beyond repair. */
  permanent: 32,
  /** The open fault rests on the state that the asset reports. */
  stateFault: 64,
  /** Events are listed. */
  warningEvents: 128,
} as const;

/** Bits of column `alertBits`: alerts (of the newest list) that regions depend on. */
export const AlertBit = {
  endOfCharge: 1,
  endOfDischarge: 2,
  reserveLimit: 4,
  dormant: 8,
  islandScheduled: 16,
  resyncFailed: 32,
  /** The inverter lists an event of the grid leaving its limits. */
  gridLost: 64,
  /** Sources of throttling are listed. */
  throttled: 128,
} as const;

/** Bits of the derate columns, by name in this order. */
export const DERATES = [
  'SOC_LIMIT',
  'THERMAL',
  'POWER_CONFIG',
  'RAMP',
  'GRID_SUPPORT',
  'CURTAILED',
  'LOW_SOE',
  'DERATED',
  'SHARED_CABINET',
  'STRINGS_OUT',
  'CLIPPED',
] as const;

export const Derate = {
  socLimit: 1,
  thermal: 2,
  powerConfig: 4,
  ramp: 8,
  gridSupport: 16,
  curtailed: 32,
  lowSoe: 64,
  derated: 128,
  sharedCabinet: 256,
  stringsOut: 512,
  clipped: 1024,
} as const;
