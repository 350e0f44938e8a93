import { Random } from '../random.ts';
import { HORIZON_MS } from './partition.ts';
import type { Arrival, Scenario } from './script.ts';

/** A record, and the readings of the clocks with which it comes. */
export interface Delivery {
  readonly arrival: Arrival;
  /** Partition clock. */
  readonly clock: number;
  /** When the log says that it accepted it. */
  readonly accepted: number;
}

/** As the scenario tells it. */
export function asTold({ arrivals }: Scenario): Delivery[] {
  return arrivals.map((arrival) => ({ arrival, clock: arrival.arrives, accepted: arrival.arrives }));
}

/** Every record comes again soon after, as from a device that lost the acknowledgement. */
export function withDuplicates(scenario: Scenario, seed: number): Delivery[] {
  const random = Random.of(seed, scenario.title, 'duplicates');
  const told = asTold(scenario);
  const again = told.map((delivery, i) => {
    const after = Math.min(told.length - 1, i + random.int(0, 5));
    const { clock, accepted } = told[after];
    const record = delivery.arrival.topic === 'telemetry' ? resent(delivery.arrival) : delivery.arrival.record;
    return { after, delivery: { arrival: { ...delivery.arrival, record }, clock, accepted } };
  });
  return told.flatMap((delivery, i) => [delivery, ...again.filter((a) => a.after === i).map((a) => a.delivery)]);
}

function resent({ record }: Arrival): Arrival['record'] {
  return { ...record, resend: true };
}

/**
 * The same records in another order: each reading comes late by less than the horizon, and lifecycle records anywhere.
 *
 * All of an asset is told at the moment at which its newest reading came, since silence counts from there; what the
 * log says of reception lies at the end, so that nothing comes from the future. A record that sets cadence or zone
 * goes before the readings: how these are folded depends on it.
 */
export function shuffled(scenario: Scenario, seed: number, refused: ReadonlySet<Arrival>): Delivery[] {
  const random = Random.of(seed, scenario.title, 'shuffle');
  const kept = scenario.arrivals.filter((arrival) => !refused.has(arrival));
  const heardAt = new Map(scenario.assets.map(({ serial }) => [serial, newestHeard(kept, serial)]));
  const span = kept.reduce((most, a) => Math.max(most, a.arrives), scenario.start) - scenario.start;
  const placed = kept.map((arrival) => {
    const isReading = arrival.topic === 'telemetry';
    const place = isReading
      ? arrival.at + random.next() * (HORIZON_MS - 1)
      : scenario.start + random.next() * (span + HORIZON_MS);
    const first = !isReading && configures(arrival);
    return { arrival, place: first ? Number.NEGATIVE_INFINITY : place };
  });
  return placed
    .map(({ arrival, place }) => ({ arrival, place, clock: heardAt.get(arrival.serial) ?? scenario.start }))
    .sort((a, b) => a.clock - b.clock || a.place - b.place)
    .map(({ arrival, clock }) => ({ arrival, clock, accepted: scenario.end }));
}

/** When the newest reading of the asset came; the same device time again is no news. */
function newestHeard(arrivals: readonly Arrival[], serial: string): number {
  let newest = Number.NEGATIVE_INFINITY;
  let heard = Number.NEGATIVE_INFINITY;
  for (const { topic, serial: of, at, arrives } of arrivals) {
    if (of !== serial) continue;
    if (topic === 'telemetry' && at > newest) {
      newest = at;
      heard = arrives;
    }
    if (heard === Number.NEGATIVE_INFINITY) heard = arrives;
  }
  return heard;
}

function configures({ record }: Arrival): boolean {
  const data = record.data as Readonly<Record<string, unknown>>;
  return 'cadenceSeconds' in data || 'timeZone' in data;
}
