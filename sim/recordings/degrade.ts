import { MinHeap } from '../heap.ts';
import { Random } from '../random.ts';
import { isTelemetry, type SourceRecord, type TelemetryRecord, telemetry } from '../record.ts';
import { badOption } from './contract.ts';

const SIX_HOURS_MS = 6 * 3600 * 1000;

export interface DegradeOptions {
  readonly seed: number;
  /** Share of the readings that come twice. @default 0.03 */
  readonly duplicates?: number;
  /** Share of the readings that come late. @default 0.2 */
  readonly delayed?: number;
  /** Longest delay in milliseconds. @default 6 h */
  readonly maxDelayMs?: number;
}

interface Delivery {
  readonly record: SourceRecord;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly order: number;
}

/**
 * The same records as an unreliable network delivers them: some late, some twice. Device times stay; a late reading's
 * `receiveTime` is its delivery; a second copy is exact, half of them right behind the first and half later.
 * Lifecycle records pass untouched. The same seed and input give the same stream.
 *
 * Input must be ordered by receive time, as recordings are. Memory holds at most the readings of `maxDelayMs`.
 */
export async function* degrade(
  records: AsyncIterable<SourceRecord>,
  options: DegradeOptions,
): AsyncGenerator<SourceRecord> {
  const { duplicates, delayed, maxDelayMs } = checked(options);
  const random = new Random(options.seed);
  const waiting = new MinHeap<Delivery>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  let now = Number.NEGATIVE_INFINITY;
  let order = 0;
  for await (const record of records) {
    if (!isTelemetry(record)) {
      yield record;
      continue;
    }
    const received = Date.parse(record.value.receiveTime ?? record.value.deviceTime);
    now = Math.max(now, received);
    const late = random.chance(delayed) ? Math.ceil(random.between(0, maxDelayMs)) : 0;
    const delivered = late === 0 ? record : receivedAt(record, received + late);
    waiting.push({ record: delivered, at: received + late, order: order++ });
    if (random.chance(duplicates)) {
      const again = random.chance(0.5) ? 0 : Math.floor(random.between(0, maxDelayMs - late));
      waiting.push({ record: delivered, at: received + late + again, order: order++ });
    }
    for (let next = waiting.peek(); next !== undefined && next.at <= now; next = waiting.peek()) {
      yield (waiting.pop() as Delivery).record;
    }
  }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) yield next.record;
}

function receivedAt(record: TelemetryRecord, at: number): TelemetryRecord {
  return telemetry({ ...record.value, receiveTime: new Date(at).toISOString() });
}

function checked(options: DegradeOptions) {
  const { duplicates = 0.03, delayed = 0.2, maxDelayMs = SIX_HOURS_MS } = options;
  if (!(duplicates >= 0 && duplicates <= 1)) throw badOption('duplicates', `${duplicates} is not a share from 0 to 1`);
  if (!(delayed >= 0 && delayed <= 1)) throw badOption('delayed', `${delayed} is not a share from 0 to 1`);
  if (!(maxDelayMs > 0 && Number.isFinite(maxDelayMs)))
    throw badOption('maxDelayMs', `${maxDelayMs} is not a positive time`);
  return { duplicates, delayed, maxDelayMs };
}
