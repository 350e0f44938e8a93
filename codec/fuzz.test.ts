import { describe, expect, it } from 'vitest';
import { BINARY_FORMATS } from './schema/files.ts';
import { type FuzzResult, fuzzForeignAvro, fuzzLifecycle, fuzzTelemetry } from './testing/fuzz.ts';

/** Inputs of each format; by hand `node scripts/fuzz-decode.ts 1000000`. */
const count = Number(process.env.GRIDFOLD_FUZZ ?? (process.env.CI ? 50_000 : 5_000));
const seed = Number(process.env.GRIDFOLD_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe(`damaged bytes, seed ${seed}`, { timeout: 600_000 }, () => {
  const total = ({ tally }: FuzzResult) => [...tally.values()].reduce((sum, n) => sum + n, 0);

  it.each(BINARY_FORMATS)('of telemetry in %s are accepted or get a reason', (format) => {
    const result = fuzzTelemetry(format, count, seed);
    expect(total(result)).toBe(count);
    expect(result.tally.get('ok')).toBeGreaterThan(count / 100);
    expect(result.tally.get('undecodable')).toBeGreaterThan(count / 100);
  });

  it('of telemetry in a foreign Avro schema are accepted or get a reason', () => {
    expect(total(fuzzForeignAvro(count, seed))).toBe(count);
  });

  it.each(BINARY_FORMATS)('of lifecycle records in %s are accepted or get a reason', (format) => {
    expect(total(fuzzLifecycle(format, count, seed))).toBe(count);
  });
});
