import { MAX_METER_VALUES } from './limits.ts';
import { numberOf } from './number.ts';

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

export interface MeterValues {
  /** Value by field, in the field's unit; what cannot be read has a value that no number field takes. */
  readonly fields: ReadonlyMap<string, unknown>;
  /** Value by measurand, and phase, of what no field stands for. */
  readonly unknown: ReadonlyMap<string, unknown>;
}

/**
 * Sampled values of OCPP (`value`, and optionally `measurand`, `context`, `unit`, `phase`, `location`; of 2.0.1 also
 * `unitOfMeasure`) by the fields that they measure. Of several for one field the last stands, one of the beginning of
 * the transaction only where there is no other. A value of one phase has no field. Null where it is no such list.
 */
export function readMeterValues(value: unknown): MeterValues | null {
  if (!Array.isArray(value) || value.length > MAX_METER_VALUES || !value.every(isObject)) return null;
  const fields = new Map<string, unknown>();
  const unknown = new Map<string, unknown>();
  for (const sample of value as Json[]) {
    const { measurand = DEFAULT_MEASURAND, phase = null, context } = sample;
    if (typeof measurand !== 'string') return null;
    const known = phase === null && Object.hasOwn(MEASURANDS, measurand) ? MEASURANDS[measurand] : null;
    if (known === null) unknown.set(typeof phase === 'string' ? `${measurand}.${phase}` : measurand, sample.value);
    else if (!fields.has(known.field) || context !== OLDEST_CONTEXT) fields.set(known.field, measured(sample, known));
  }
  return { fields, unknown };
}

/** The value in the field's unit; false where it is no number, or of a unit that is not known. */
function measured(sample: Json, { unit, units }: Measurand): unknown {
  const told = isObject(sample.unitOfMeasure) ? sample.unitOfMeasure : sample;
  const name = told.unit ?? unit;
  const scale = typeof name === 'string' && Object.hasOwn(units, name) ? units[name] : undefined;
  const value = numberOf(sample.value);
  if (value === null || scale === undefined) return sample.value === null ? null : false;
  const multiplier = typeof told.multiplier === 'number' ? 10 ** told.multiplier : 1;
  return round(value * multiplier * scale[0] + scale[1]);
}

/** 7.4 kW are 7400 W, and not 7400.000000000001. */
function round(value: number): number {
  return Math.abs(value) < 1e9 ? Math.round(value * 1e6) / 1e6 : value;
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
