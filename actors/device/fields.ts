import type { FieldSpec } from '../../runtime/shard/reading.ts';

interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly sentinels?: readonly number[];
}

export const number = (name: string, unit: string, doc: string, range: Range = {}): FieldSpec => ({
  name,
  type: 'number',
  doc,
  unit,
  ...range,
});
export const words = (name: string, doc: string, list: readonly string[]): FieldSpec => ({
  name,
  type: 'enum',
  doc,
  words: list,
});

/** A lifetime counter below zero is one that lost its mind. */
export const anyCounter: Range = { min: 0, max: 1e15 };

/** Fields that every kind of device has. */
export const commonFields: readonly FieldSpec[] = [
  number('powerW', 'W', 'Power, + leaves the asset towards the site, - flows in', { min: -1e8, max: 1e8 }),
  number('energyOutWh', 'Wh', 'Lifetime energy out of the asset', anyCounter),
  number('energyInWh', 'Wh', 'Lifetime energy into the asset', anyCounter),
  number('tempC', 'degC', 'Temperature', { min: -80, max: 250, sentinels: [-256] }),
  number('frequencyHz', 'Hz', 'Grid frequency', { min: 1, max: 100, sentinels: [-256, 0] }),
  number('voltageV', 'V', 'Voltage', { min: 0, max: 100_000, sentinels: [-256, 0] }),
  { name: 'firmware', type: 'text', doc: 'Version that is installed' },
  number('heartbeat', '', 'Counts up while the device lives; standing still means that it does not'),
  { name: 'alerts', type: 'alerts', doc: 'Alerts that are active, or ended lately' },
];
