import { readFileSync, writeFileSync } from 'node:fs';
import { createFleet, defaultRates } from '../../sim/fleet/index.ts';
import type { SourceRecord } from '../../sim/record.ts';

/** The load of the fault tests: a file of records in the order of delivery, one in a line: topic, serial, JSON. */
export interface LoadLine {
  readonly topic: 'telemetry' | 'lifecycle';
  readonly key: string;
  readonly value: Uint8Array;
}

const START = Date.UTC(2026, 2, 1);

/** Writes `hours` of a seeded fleet, with late and doubled deliveries, faults, outages and silences. Returns the number of records. */
export function writeLoad(
  file: string,
  options: { seed: number; assets: number; hours: number; cadenceMs: number },
): number {
  const { seed, assets, hours, cadenceMs } = options;
  const fleet = createFleet({
    seed,
    assets,
    cabinets: 2,
    megapacks: 4,
    cadenceMs,
    startTime: START,
    rates: { ...defaultRates },
  });
  const lines = Array.from(fleet.lifecycleRecords(), toLine);
  for (let now = START; now < START + hours * 3_600_000; now += cadenceMs)
    for (const record of fleet.tick(now)) lines.push(toLine(record));
  writeFileSync(file, lines.join(''));
  return lines.length;
}

function toLine({ topic, key, value }: SourceRecord): string {
  return `${topic}\t${key}\t${JSON.stringify(value)}\n`;
}

export function* readLoad(file: string): Generator<LoadLine> {
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    const tab = bytes.indexOf(9, at);
    const second = bytes.indexOf(9, tab + 1);
    const topic = bytes[at] === 116 ? 'telemetry' : 'lifecycle';
    yield { topic, key: bytes.toString('utf8', tab + 1, second), value: bytes.subarray(second + 1, end) };
    at = end + 1;
  }
}
