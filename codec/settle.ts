import type { Reading } from '../runtime/shard/reading.ts';
import { FUTURE_TOLERANCE_MS } from './limits.ts';
import { RECEIVE_TIME_CLAMPED } from './problems.ts';
import { Reason } from './reasons.ts';
import { TIME_ABSENT } from './time.ts';

/**
 * Sets both times of a reading. `received` is TIME_ABSENT when the record names none: then the log's timestamp stands in;
 * it is never more than 5 minutes after that. A reading from the future of its receiver is refused.
 */
export function settleTimes(
  device: number,
  received: number,
  timestamp: number,
  reading: Reading,
  problems: Int32Array,
): number {
  let receiveTime = received === TIME_ABSENT ? timestamp : received;
  if (receiveTime > timestamp + FUTURE_TOLERANCE_MS) {
    receiveTime = timestamp + FUTURE_TOLERANCE_MS;
    problems[RECEIVE_TIME_CLAMPED]++;
  }
  if (device > receiveTime + FUTURE_TOLERANCE_MS) return Reason.future_device_time;
  reading.deviceTime = device;
  reading.receiveTime = receiveTime;
  return 0;
}
