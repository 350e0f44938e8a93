import { type WireRecord, wireSize } from './wire/record-set.ts';

/** Below the broker's default for a batch, 1,048,588 bytes. */
const MAX_BATCH_BYTES = 1_000_000;

/** Ends of stretches of records that fit into one batch each; a record that is larger stands alone. */
export function chunkEnds(records: readonly WireRecord[]): number[] {
  const ends: number[] = [];
  let size = 0;
  for (let i = 0; i < records.length; i++) {
    const bytes = wireSize(records[i]);
    if (size > 0 && size + bytes > MAX_BATCH_BYTES) {
      ends.push(i);
      size = 0;
    }
    size += bytes;
  }
  if (records.length > 0) ends.push(records.length);
  return ends;
}
