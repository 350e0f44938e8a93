import { contentFlags, contentOf, sequenceOf, timeOf, txidOf } from './entry-layout.ts';

/**
 * Total order of readings: device time, sequence number, txid, content. Equal only for duplicates.
 */
export function compareEntries(a: Uint8Array, b: Uint8Array): number {
  return timeOf(a) - timeOf(b) || sequenceOf(a) - sequenceOf(b) || txidOf(a) - txidOf(b) || compareContent(a, b);
}

/** Same device time and the same txid or content (contracts, "Telemetry record"). */
export function isDuplicate(a: Uint8Array, b: Uint8Array): boolean {
  if (timeOf(a) !== timeOf(b)) return false;
  const txid = txidOf(a);
  return (txid !== 0 && txid === txidOf(b)) || compareContent(a, b) === 0;
}

function compareContent(a: Uint8Array, b: Uint8Array): number {
  return contentFlags(a) - contentFlags(b) || Buffer.compare(contentOf(a), contentOf(b));
}
