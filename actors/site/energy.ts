import type { DerivedData } from '../../runtime/shard/derived.ts';
import { isBattery } from './fields.ts';
import { compare, heldAt, lastStays, memberOf, touches } from './members.ts';
import { type Member, type PlaceSide, QUARTER_MS, type Stay } from './state.ts';

/** Places of a row of `energy` and of `meter`; what they hold is said where they are declared. */
const IN = 2;
const OUT = 3;
const COVERAGE = 4;
const LOAD = 2;
const SOLAR = 3;
const IMPORT = 4;
const EXPORT = 5;
const METER_COVERAGE = 6;

/** Whether the quarter of an hour has a row: a member that stood here in it has one. */
export function hasEnergy(side: PlaceSide, quarter: number): boolean {
  return side.stays.some((stay) => {
    if (!touches(stay, quarter * QUARTER_MS, (quarter + 1) * QUARTER_MS)) return false;
    const member = memberOf(side, stay.serial);
    return member !== null && (heldAt(member.energy, quarter) ?? heldAt(member.meter, quarter)) !== null;
  });
}

/**
 * Data of the site's row of a quarter. An interval of a member counts in full where the member stood here in any part
 * of it: so the energy of a slot goes on through a replacement.
 */
export function energyAt(side: PlaceSide, quarter: number): DerivedData {
  const from = quarter * QUARTER_MS;
  const stays = lastStays(side, (stay) => touches(stay, from, from + QUARTER_MS));
  const rows = stays.map((stay) => ({ stay, row: rowOf(side, stay, quarter, 'energy') }));
  const add = (place: number, counts: (kind: string) => boolean): number | null => {
    let total: number | null = null;
    for (const { stay, row } of rows) if (row !== null && counts(stay.kind)) total = (total ?? 0) + row[place];
    return total;
  };
  const meter = meterOf(side, stays, quarter);
  return {
    startTime: from,
    lengthS: QUARTER_MS / 1000,
    loadWh: meter[LOAD],
    solarWh: meter[SOLAR] ?? add(OUT, (kind) => kind === 'inverter'),
    importWh: meter[IMPORT],
    exportWh: meter[EXPORT],
    batteryInWh: add(IN, isBattery),
    batteryOutWh: add(OUT, isBattery),
    chargingWh: add(IN, (kind) => kind === 'supercharger'),
    coverage: coverageOf(side, stays, quarter),
  };
}

function rowOf(side: PlaceSide, { serial }: Stay, quarter: number, of: 'energy' | 'meter'): readonly number[] | null {
  const found = memberOf(side, serial);
  const row = found === null ? null : heldAt(found[of], quarter);
  return row === null ? null : row.rows.slice(row.at, row.at + (found as Member)[of].width);
}

/**
 * Meters of the home: of one slot, whose units follow each other in it. Where units in several slots tell meters, the
 * slot that covers most of the time counts, then the one taken last.
 */
function meterOf(side: PlaceSide, stays: readonly Stay[], quarter: number): (number | null)[] {
  const slots = new Map<string, { coverage: number; from: number; sums: (number | null)[] }>();
  for (const stay of stays) {
    const row = rowOf(side, stay, quarter, 'meter');
    if (row === null) continue;
    const slot = slots.get(stay.slot) ?? { coverage: 0, from: 0, sums: row.map(() => null) };
    slots.set(stay.slot, {
      coverage: slot.coverage + row[METER_COVERAGE],
      from: Math.max(slot.from, stay.from),
      sums: slot.sums.map((sum, i) => (Number.isNaN(row[i]) ? sum : (sum ?? 0) + row[i])),
    });
  }
  const best = [...slots].sort(([a, x], [b, y]) => y.coverage - x.coverage || y.from - x.from || compare(a, b));
  return best.length === 0 ? [null, null, null, null, null, null, null] : best[0][1].sums;
}

/** Time of the members that is covered, over the time for which they stood here. */
function coverageOf(side: PlaceSide, stays: readonly Stay[], quarter: number): number {
  let expected = 0;
  let covered = 0;
  for (const stay of stays) {
    const length = timeHere(side, stay.serial, quarter * QUARTER_MS);
    const row = rowOf(side, stay, quarter, 'energy');
    expected += length;
    if (row !== null) covered += Math.min(length, row[COVERAGE] * QUARTER_MS);
  }
  return expected === 0 ? 0 : covered / expected;
}

/** How long an asset stood here in the quarter, in all its slots. */
function timeHere(side: PlaceSide, serial: string, from: number): number {
  const end = from + QUARTER_MS;
  let time = 0;
  for (const stay of side.stays) {
    if (stay.serial !== serial || !touches(stay, from, end)) continue;
    time += Math.min(end, stay.to ?? end) - Math.max(from, stay.from);
  }
  return Math.min(time, QUARTER_MS);
}
