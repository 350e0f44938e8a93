import type { Clock } from '../../runtime/kernel/clock.ts';
import type { FleetView, TableReader } from '../../runtime/system/engine.ts';

const REFRESH_MS = 5_000;
/** While there is nothing to show: a fleet that has just begun is soon seen. */
const EMPTY_REFRESH_MS = 1_000;
const QUERY = `SELECT kind, sum(out_wh), sum(in_wh) FROM energy_intervals_current
  WHERE event_time >= date_trunc('day', to_timestamp($1 / 1000.0)) GROUP BY kind`;

/** Adds the energy of the day (UTC) by kind to the fleet's figures, from the tables, at most some seconds old. */
export class EnergyToday {
  readonly #tables: TableReader;
  readonly #clock: Clock;
  #sums = new Map<string, { outWh: number; inWh: number }>();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(tables: TableReader, clock: Clock) {
    this.#tables = tables;
    this.#clock = clock;
    this.#refresh();
  }

  addTo(fleet: FleetView): FleetView {
    this.#refresh();
    const kinds = Object.fromEntries(
      Object.entries(fleet.kinds).map(([kind, figures]) => {
        const { outWh, inWh } = this.#sums.get(kind) ?? { outWh: 0, inWh: 0 };
        return [kind, { ...figures, energyTodayOutWh: outWh, energyTodayInWh: inWh }];
      }),
    );
    return { ...fleet, kinds };
  }

  /** Asks in the background; the answer is there for the next caller. */
  #refresh(): void {
    const now = this.#clock.now();
    if (now - this.#readAt < (this.#sums.size === 0 ? EMPTY_REFRESH_MS : REFRESH_MS)) return;
    this.#readAt = now;
    this.#tables.query(QUERY, [now], 100).then(
      ({ rows }) => {
        this.#sums = new Map(
          rows.map(([kind, outWh, inWh]) => [String(kind), { outWh: Number(outWh), inWh: Number(inWh) }]),
        );
      },
      // The tables are away: the figures stay as they were until the next try.
      () => {},
    );
  }
}
