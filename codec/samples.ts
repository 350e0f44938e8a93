import type { JsonObject } from './document.ts';

/** Texts of a sampled value of OCPP in binary formats, by number from 1 on. */
export const SAMPLE_TEXTS = ['value', 'measurand', 'context', 'phase', 'location', 'unit'] as const;
/** Number of the power of ten of OCPP 2.0.1. */
export const SAMPLE_MULTIPLIER = 7;

/** The multiplier belongs to the unit of measure of OCPP 2.0.1. */
export function withUnitOfMeasure(sample: JsonObject): JsonObject {
  const { multiplier, unit, ...rest } = sample;
  return multiplier === undefined ? sample : { ...rest, unitOfMeasure: { unit, multiplier } };
}
