import type { Door } from '../../codec/door.ts';
import { REASONS } from '../../codec/reasons.ts';
import { type Clock, systemClock } from '../../runtime/kernel/clock.ts';
import type { Classify } from './ingest.ts';

const docs = new Map<string, string>(REASONS.map((reason) => [reason.code, reason.doc]));

/** The codec's door as the routes use it; a refusal without words of its own says what its code means. */
export function doorClassifier(door: Door, clock: Clock = systemClock): Classify {
  return (line) => {
    const found = door.classify(line, 0, line.length, clock.now());
    if ('reason' in found) return { reason: found.reason, detail: found.detail ?? docs.get(found.reason) };
    return { topic: found.topic, key: Buffer.from(found.key).toString() };
  };
}
