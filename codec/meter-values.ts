import type { Reading } from '../runtime/shard/reading.ts';
import { putField, pushUnknown, isUnknownName } from './fields.ts';
import { MAX_METER_VALUES, MAX_UNKNOWN_FIELDS } from './limits.ts';
import type { KindPlan } from './plan.ts';
import { UNKNOWN_FIELD_DROPPED, WRONG_TYPE } from './problems.ts';

type Json = Record<string, unknown>;

/** Multiplies and adds: what turns a value of the unit into the field's own. */
type Unit = readonly [factor: number, offset: number];

interface Measurand {
  readonly field: string;
  /** Unit that stands in where a value names none. */
  readonly unit: string;
  readonly units: Readonly<Record<string, Unit>>;
}

const watts: Readonly<Record<string, Unit>> = { W: [1, 0], kW: [1000, 0] };
/** OCPP 1.6 spells the degree wrong, 1.6 errata and 2.0.1 right. */
const degrees: Readonly<Record<string, Unit>> = {
  Celsius: [1, 0],
  Celcius: [1, 0],
  Fahrenheit: [5 / 9, -160 / 9],
  K: [1, -273.15],
};

const DEFAULT_MEASURAND = 'Energy.Active.Import.Register';

/** Measurands of OCPP that have a field. Import is into the vehicle. */
const MEASURANDS: Readonly<Record<string, Measurand>> = {
  [DEFAULT_MEASURAND]: { field: 'deliveredWh', unit: 'Wh', units: { Wh: [1, 0], kWh: [1000, 0] } },
  'Power.Active.Import': { field: 'vehicleW', unit: 'W', units: watts },
  'Power.Offered': { field: 'offeredW', unit: 'W', units: watts },
  SoC: { field: 'vehicleSoc', unit: 'Percent', units: { Percent: [0.01, 0], '%': [0.01, 0] } },
  Temperature: { field: 'tempC', unit: 'Celsius', units: degrees },
  Voltage: { field: 'voltageV', unit: 'V', units: { V: [1, 0] } },
};

/** A value that says what was, where the same list may say what is. */
const OLDEST_CONTEXT = 'Transaction.Begin';

/**
 * Sampled values of OCPP (`value`, and optionally `measurand`, `context`, `unit`, `phase`, `location`; of 2.0.1 also
 * `unitOfMeasure`): each fills the field that it measures, unless the record names that field itself. Of several for
 * one field the last stands, one of the beginning of the transaction only where there is no other. A measurand without a field, or of one
 * phase, is kept as an unknown field. False where the value is no such list.
 */
export function putMeterValues(plan: KindPlan, value: unknown, reading: Reading, problems: Int32Array): boolean {
  if (!Array.isArray(value) || value.length > MAX_METER_VALUES || !value.every(isObject)) return false;
  const chosen = new Map<number, readonly [sample: Json, measurand: Measurand]>();
  const unknown = new Map<string, Json>();
  for (const sample of value as Json[]) {
    const name = sample.measurand ?? DEFAULT_MEASURAND;
    if (typeof name !== 'string') return false;
    const measurand = isAbsent(sample.phase) && Object.hasOwn(MEASURANDS, name) ? MEASURANDS[name] : undefined;
    const field = measurand === undefined ? undefined : plan.indexOf.get(measurand.field);
    if (measurand === undefined || field === undefined) unknown.set(nameOf(name, sample.phase), sample);
    else if (!chosen.has(field) || sample.context !== OLDEST_CONTEXT) chosen.set(field, [sample, measurand]);
  }
  for (const [field, [sample, measurand]] of chosen) {
    if ((reading.present & (1 << field)) !== 0) continue;
    putField(plan, field, measured(sample, measurand), reading, problems);
  }
  keepUnknown(plan, unknown, reading, problems);
  return true;
}

/** The value in the field's unit; what is no number, or of a unit that is not known, is passed on as it is, which no field of numbers takes. */
function measured(sample: Json, { unit, units }: Measurand): unknown {
  const told = isObject(sample.unitOfMeasure) ? sample.unitOfMeasure : sample;
  const name = told.unit ?? unit;
  const scale = typeof name === 'string' && Object.hasOwn(units, name) ? units[name] : undefined;
  const value = numberOf(sample.value);
  if (value === null || scale === undefined) return sample.value === null ? null : false;
  const multiplier = typeof told.multiplier === 'number' ? 10 ** told.multiplier : 1;
  return round(value * multiplier * scale[0] + scale[1]);
}

/** A decimal number, or its text as OCPP sends it; null for anything else. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.length <= MAX_NUMBER_CHARS && NUMERIC_TEXT.test(value)
    ? Number(value)
    : null;
}

const NUMERIC_TEXT = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const MAX_NUMBER_CHARS = 32;

/** 7.4 kW are 7400 W, and not 7400.000000000001. */
function round(value: number): number {
  return Math.abs(value) < 1e9 ? Math.round(value * 1e6) / 1e6 : value;
}

function nameOf(measurand: string, phase: unknown): string {
  return typeof phase === 'string' ? `${measurand}.${phase}` : measurand;
}

function keepUnknown(plan: KindPlan, unknown: ReadonlyMap<string, Json>, reading: Reading, problems: Int32Array): void {
  let kept = 0;
  for (const [name, { value }] of unknown) {
    const isTaken = plan.indexOf.has(name) || (reading.extra?.some((extra) => extra[0] === name) ?? false);
    if (kept === MAX_UNKNOWN_FIELDS || isTaken || !isUnknownName(name)) problems[UNKNOWN_FIELD_DROPPED]++;
    else if (value === undefined) problems[WRONG_TYPE]++;
    else {
      kept++;
      pushUnknown(name, value, reading, problems);
    }
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isAbsent = (value: unknown): boolean => value === undefined || value === null;
