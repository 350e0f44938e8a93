import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { FieldSpec } from '../../runtime/shard/reading.ts';
import { numberOf } from '../number.ts';
import type { DecodedKind } from '../plan.ts';
import { TESLA_FIELDS } from './fields.ts';

/** Where one of Tesla's fields goes. */
export interface TeslaRule {
  /** Our field. */
  readonly field: string;
  /** What a number is multiplied with, so that the unit is ours. @default 1 */
  readonly factor?: number;
  /** Our word for a value, by its text (of an enum: its number). Others stay as they are. */
  readonly words?: Readonly<Record<string, string>>;
}

/** What a vehicle is taken for, and which of its fields is which of ours. */
export interface TeslaMap {
  readonly kind: string;
  /** By Tesla's name of the field. */
  readonly fields: Readonly<Record<string, TeslaRule>>;
}

/** A vehicle as a battery: what a store of energy and a vehicle both have. Charging is power that flows in. */
export const VEHICLE_AS_BATTERY: TeslaMap = {
  kind: 'powerwall',
  fields: {
    Soc: { field: 'soc', factor: 0.01 },
    EnergyRemaining: { field: 'energyRemainingWh', factor: 1000 },
    ACChargingPower: { field: 'powerW', factor: -1000 },
    PackVoltage: { field: 'voltageV' },
    ModuleTempMax: { field: 'tempC' },
    Version: { field: 'firmware' },
  },
};

/** Throws `tesla_map_invalid` (fix-configuration) with what is wrong. */
export function checkTeslaMap(map: TeslaMap, kinds: readonly DecodedKind[]): void {
  const kind = kinds.find(({ name }) => name === map.kind);
  if (kind === undefined) throw invalid(`kind ${map.kind} is not one of ${kinds.map(({ name }) => name).join(', ')}`);
  const taken = new Set<string>();
  for (const [name, { field, factor, words }] of Object.entries(map.fields)) {
    const spec = kind.fields.find((one) => one.name === field);
    if (!TESLA_FIELDS.includes(name)) throw invalid(`Tesla's fleet telemetry has no field ${name}`);
    if (spec === undefined) throw invalid(`${name}: ${map.kind} has no field ${field}`);
    if (taken.has(field)) throw invalid(`${name}: another field goes into ${field} already`);
    if (factor !== undefined && !isScalable(spec, factor)) throw invalid(`${name}: ${field} takes no factor ${factor}`);
    if (words !== undefined && spec.type !== 'enum' && spec.type !== 'text')
      throw invalid(`${name}: ${field} takes no words`);
    taken.add(field);
  }
}

const isScalable = (spec: FieldSpec, factor: number) =>
  spec.type === 'number' && Number.isFinite(factor) && factor !== 0;

const invalid = (detail: string) =>
  new GridfoldError('tesla_map_invalid', 'fix-configuration', `fields of Tesla's fleet telemetry: ${detail}`);

/** The value in our words and units. Numbers often come as text. */
export function translate({ factor, words }: TeslaRule, isNumber: boolean, value: unknown): unknown {
  if (value === null) return null;
  if (words !== undefined) return words[String(value)] ?? String(value);
  if (!isNumber) return value;
  const number = numberOf(value);
  return number === null ? value : number * (factor ?? 1);
}
