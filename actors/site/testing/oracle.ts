import { MINUTE, QUARTER, type Told } from './told.ts';

/**
 * What a site should say, computed anew from all records the plain way: newest version of each, every minute looked at,
 * nothing remembered. Written without any code of the fold.
 */
export class Oracle {
  readonly #all: readonly Told[];
  readonly #held: readonly Told[];

  constructor(records: readonly Told[]) {
    this.#all = records;
    const newest = new Map<string, Told>();
    for (const record of records) {
      const id = `${record.serial} ${record.type} ${record.key}`;
      if ((newest.get(id)?.version ?? 0) < record.version) newest.set(id, record);
    }
    this.#held = [...newest.values()].filter(({ op }) => op === 'upsert');
  }

  /** Latest time that anybody told. */
  get clock(): number {
    const times = this.#all.flatMap(({ type, data }) => {
      if (type === 'member_state') return [data.at as number];
      if (type === 'slot_occupancy') return [data.fromTime as number, (data.toTime as number | null) ?? 0];
      return [];
    });
    return Math.max(...times);
  }

  /** Rows of totals: what is checked of them, by start of the minute. */
  rollups(from: number): Map<number, Record<string, unknown>> {
    const rows = new Map<number, Record<string, unknown>>();
    for (let minute = from; minute <= this.clock + 60 * MINUTE; minute += MINUTE) {
      if (this.#happened(minute)) rows.set(minute, this.#rollup(minute + MINUTE));
    }
    return rows;
  }

  #rollup(end: number): Record<string, unknown> {
    const here = this.#of('slot_occupancy').filter((s) => lastsAt(s, end));
    const members = lastOfEach(here).map((stay) => ({ stay, newest: this.#newest(stay, end) }));
    const fresh = members.filter(
      ({ newest }) => newest !== null && end - (newest.data.at as number) <= (newest.data.staleAfterMs as number),
    );
    const powers = fresh.map(({ newest }) => power(newest as Told)).filter((p) => p !== null);
    const ages = members
      .filter(({ newest }) => newest !== null)
      .map(({ newest }) => end - ((newest as Told).data.at as number));
    const serials = members.map(({ stay }) => stay.serial);
    const open = (type: string) => this.#of(type).filter((i) => lastsAt(i, end) && serials.includes(i.serial));
    const units: Record<string, number> = {};
    for (const who of new Set(serials)) {
      const begun = this.#of('state_interval').filter((i) => i.serial === who && spanOf(i)[0] < end);
      const last = begun.sort((a, b) => spanOf(a)[0] - spanOf(b)[0]).at(-1);
      if (last !== undefined && lastsAt(last, end))
        units[last.data.state as string] = (units[last.data.state as string] ?? 0) + 1;
    }
    return {
      membersExpected: members.length,
      membersFresh: fresh.length,
      oldestAgeMs: ages.length === 0 ? null : Math.max(...ages),
      powerW: powers.length === 0 ? null : powers.reduce((a, b) => a + b),
      unitsByState: units,
      faultsOpen: open('fault').length,
    };
  }

  /** Spoke, joined, left or went stale; who came and went before the first reading of all is no row. */
  #happened(minute: number): boolean {
    const spokenAt = this.#all.filter(({ type }) => type === 'member_state').map(({ data }) => data.at as number);
    const begun = minute + MINUTE > Math.min(...spokenAt);
    const within = (time: number) => time >= minute && time < minute + MINUTE;
    for (const stay of this.#of('slot_occupancy')) {
      const to = (stay.data.toTime as number | null) ?? Number.POSITIVE_INFINITY;
      if (begun && (within(stay.data.fromTime as number) || within(to))) return true;
      const spoken = this.#spoken(stay).filter(({ data }) => (data.at as number) < to);
      if (spoken.some(({ data }) => within(data.at as number))) return true;
      for (const { data } of spoken) {
        const at = data.at as number;
        const stale = at + (data.staleAfterMs as number);
        if (!within(stale) || stale >= to) continue;
        if (
          this.#spokenEver(stay.serial).some(
            (o) => (o.data.at as number) > at && (o.data.at as number) < minute + MINUTE,
          )
        )
          continue;
        const told = this.#of('data_gap').some((g) => g.serial === stay.serial && g.data.fromTime === at);
        if (minute <= this.clock || told) return true;
      }
    }
    return false;
  }

  #newest(stay: Told, end: number): Told | null {
    return (
      this.#spoken(stay)
        .filter(({ data }) => (data.at as number) < end)
        .at(-1) ?? null
    );
  }

  #spoken(stay: Told): Told[] {
    return this.#spokenEver(stay.serial).filter(({ data }) => (data.at as number) >= (stay.data.fromTime as number));
  }

  #spokenEver(serial: string): Told[] {
    const all = this.#of('member_state').filter((v) => v.serial === serial);
    return all.sort((a, b) => (a.data.at as number) - (b.data.at as number));
  }

  /** Sums of energy by start of the quarter of an hour. */
  energies(from: number): Map<number, Record<string, unknown>> {
    const rows = new Map<number, Record<string, unknown>>();
    for (let start = from; start <= this.clock + 96 * QUARTER; start += QUARTER) {
      const stays = this.#of('slot_occupancy').filter((s) => touches(s, start, start + QUARTER));
      const here = new Map(stays.map((s) => [s.serial, s]));
      const told = this.#of('energy_interval').filter((e) => e.data.startTime === start && here.has(e.serial));
      if (told.length === 0) continue;
      const sum = (name: string, kinds: readonly string[]) => {
        const parts = told.filter(({ kind }) => kinds.includes(kind)).map(({ data }) => data[name] as number);
        return parts.length === 0 ? null : parts.reduce((a, b) => a + b);
      };
      rows.set(start, {
        batteryInWh: sum('inWh', ['powerwall']),
        batteryOutWh: sum('outWh', ['powerwall']),
        solarWh: sum('outWh', ['inverter']),
        chargingWh: sum('inWh', ['supercharger']),
      });
    }
    return rows;
  }

  /** Whether all members, two or more, are silent at an instant. */
  allSilent(at: number): boolean {
    const first = (serial: string) =>
      Math.min(
        ...this.#all
          .filter((r) => r.type === 'member_state' && r.serial === serial)
          .map(({ data }) => data.at as number),
      );
    const expected = this.#of('slot_occupancy').filter((s) => lastsFrom(s, at) && first(s.serial) <= at);
    const silent = ({ serial }: Told) => this.#of('data_gap').some((g) => g.serial === serial && lastsFrom(g, at));
    return new Set(expected.map(({ serial }) => serial)).size >= 2 && expected.every(silent);
  }

  /** Instants at which something of silences or stays begins or ends. */
  get edges(): number[] {
    const edges = this.#all.flatMap(
      ({ data }) => [data.fromTime, data.toTime, data.at] as (number | null | undefined)[],
    );
    return [...new Set(edges.filter((e) => typeof e === 'number'))].sort((a, b) => a - b);
  }

  #of(type: string): Told[] {
    return this.#held.filter((record) => record.type === type);
  }
}

/** Of an asset that claims several slots at once, the one it was installed in last. */
function lastOfEach(stays: readonly Told[]): Told[] {
  const sorted = [...stays].sort(
    (a, b) =>
      (a.data.fromTime as number) - (b.data.fromTime as number) || (`${a.data.slot}` < `${b.data.slot}` ? -1 : 1),
  );
  return sorted.filter((stay, i) => !sorted.slice(i + 1).some(({ serial }) => serial === stay.serial));
}

function power({ data }: Told): number | null {
  return (data.values as { powerW?: number | null }).powerW ?? null;
}

function spanOf({ data }: Told): readonly [number, number] {
  const from = (data.fromTime ?? data.openedTime) as number;
  const to = (data.fromTime === undefined ? data.closedTime : data.toTime) as number | null;
  return [from, to ?? Number.POSITIVE_INFINITY];
}

function lastsAt(told: Told, end: number): boolean {
  const [from, to] = spanOf(told);
  return from < end && to >= end;
}

function lastsFrom(told: Told, at: number): boolean {
  const [from, to] = spanOf(told);
  return from <= at && to > at;
}

function touches(told: Told, from: number, to: number): boolean {
  const [start, end] = spanOf(told);
  return start < to && end > from;
}
