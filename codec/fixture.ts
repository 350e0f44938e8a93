import type { FieldSpec } from '../runtime/shard/reading.ts';

/** Field lists and records for the codec's own tests and benchmarks: shaped like a Powerwall and a charging stall. */

const number = (name: string, unit: string, min?: number, max?: number, sentinels?: number[]): FieldSpec => ({
  name,
  type: 'number',
  doc: name,
  unit,
  min,
  max,
  sentinels,
});

const COMMON: readonly FieldSpec[] = [
  number('powerW', 'W', -20000, 20000),
  number('energyOutWh', 'Wh', 0, 1e10),
  number('energyInWh', 'Wh', 0, 1e10),
  number('tempC', 'degC', -60, 150, [-256]),
  number('frequencyHz', 'Hz', 0, 100, [-256, 0]),
  number('voltageV', 'V', 0, 2000, [-256]),
  { name: 'firmware', type: 'text', doc: 'Installed version.' },
  number('heartbeat', ''),
  { name: 'alerts', type: 'alerts', doc: 'Alerts that the device reports.' },
];

const GRID_STATUS = [
  'SystemGridConnected',
  'SystemTransitionToIsland',
  'SystemIslandedReady',
  'SystemIslandedActive',
  'SystemTransitionToGrid',
  'SystemMicroGridFaulted',
  'SystemWaitForUser',
];

export const POWERWALL_FIELDS: readonly FieldSpec[] = [
  ...COMMON,
  number('soc', '', 0, 1),
  number('energyRemainingWh', 'Wh', 0, 1e6),
  number('energyFullWh', 'Wh', 0, 1e6),
  number('reserveSoc', '', 0, 1),
  { name: 'gridStatus', type: 'enum', doc: 'Grid connection.', words: GRID_STATUS },
  {
    name: 'inverterState',
    type: 'enum',
    doc: 'Inverter.',
    words: ['PINV_Off', 'PINV_Init', 'PINV_Standby', 'PINV_GridFollowing', 'PINV_GridForming'],
  },
  {
    name: 'inverterGridState',
    type: 'enum',
    doc: 'Grid as the inverter sees it.',
    words: ['Grid_Compliant', 'Grid_Qualifying', 'Grid_Uncompliant', ''],
  },
  { name: 'opSeqState', type: 'enum', doc: 'Sequence.', words: ['Active', 'Standby'], codes: [3, 99] },
  { name: 'disabledReasons', type: 'list', doc: 'Why it is disabled.' },
  {
    name: 'mode',
    type: 'enum',
    doc: 'Mode.',
    words: ['backup', 'self_consumption', 'autonomous', 'scheduler', 'site_control'],
  },
  number('availableChargeW', 'W', 0, 20000),
  number('availableDischargeW', 'W', 0, 20000),
  number('siteW', 'W'),
  number('loadW', 'W'),
  number('solarW', 'W'),
  { name: 'stormMode', type: 'bool', doc: 'Storm mode.' },
  { name: 'gridServices', type: 'bool', doc: 'Grid services.' },
];

export const STALL_FIELDS: readonly FieldSpec[] = [
  ...COMMON,
  { name: 'status', type: 'enum', doc: 'Status.', words: ['Available', 'Preparing', 'Charging', 'Faulted'] },
  { name: 'sessionId', type: 'text', doc: 'Session.' },
  { ...number('vehicleW', 'W', -1e7, 1e7), numericText: true },
  { ...number('deliveredWh', 'Wh', 0, 1e12), numericText: true },
  { ...number('offeredW', 'W', 0, 1e7), numericText: true },
  { ...number('vehicleSoc', '', 0, 1), numericText: true },
  { name: 'sessionEvent', type: 'enum', doc: 'Event.', words: ['Started', 'Updated', 'Ended'] },
  { name: 'meterValues', type: 'meterValues', doc: 'Sampled values.' },
  number('seqNo', '', 0, 1e9),
  { name: 'offline', type: 'bool', doc: 'Recorded while offline.' },
];

export const KINDS = [
  { name: 'powerwall', fields: POWERWALL_FIELDS },
  { name: 'supercharger', fields: STALL_FIELDS },
];

/** The reference record of the benchmarks: 8 number and enum fields and a txid in about 250 bytes. */
export function referenceRecord(serial: number, step: number): string {
  const time = new Date(1657270800000 + step * 10000).toISOString();
  const powerW = Math.round(Math.sin(step / 50 + serial) * 5000);
  return JSON.stringify({
    serial: `PW-${String(serial).padStart(7, '0')}`,
    kind: 'powerwall',
    deviceTime: time,
    txid: (serial * 7919 + step).toString(16),
    fields: {
      powerW,
      soc: Math.round(500 + 400 * Math.sin(step / 900 + serial)) / 1000,
      energyOutWh: 12690.5 + step * 3,
      energyInWh: 14112.25 + step * 2,
      voltageV: Math.round(2400 + 30 * Math.cos(step)) / 10,
      frequencyHz: 60 + Math.round(Math.sin(step) * 3) / 100,
      gridStatus: 'SystemGridConnected',
      opSeqState: 'Active',
    },
  });
}
