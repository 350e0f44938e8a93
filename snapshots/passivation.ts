import type { Block } from './block.ts';

/** Objects of a resident block beside its buffers. */
const BLOCK_OBJECT_BYTES = 1500;

/** What a block takes in memory, about. */
export function bytesOf(block: Block): number {
  return block.bytes + BLOCK_OBJECT_BYTES;
}

/** Lets the longest untouched blocks that nobody needs in memory go, until that makes up `excess` bytes. Returns how many went. */
export function letGo(resident: (Block | null)[], excess: number, isNeeded: (block: Block) => boolean): number {
  if (excess <= 0) return 0;
  const candidates = resident.filter((block) => block !== null && !isNeeded(block)) as Block[];
  candidates.sort((a, b) => a.touched - b.touched || a.id - b.id);
  let left = excess;
  let went = 0;
  for (const block of candidates) {
    if (left <= 0) break;
    resident[block.id] = null;
    left -= bytesOf(block);
    went++;
  }
  return went;
}
