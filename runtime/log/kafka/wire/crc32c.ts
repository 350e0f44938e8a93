const POLYNOMIAL = 0x82f63b78;

/** Four tables, so that four bytes are taken at a time. */
const tables = makeTables();

function makeTables(): Int32Array[] {
  const made = [0, 1, 2, 3].map(() => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    made[0][byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let t = 1; t < 4; t++) {
      const before = made[t - 1][byte];
      made[t][byte] = made[0][before & 0xff] ^ (before >>> 8);
    }
  }
  return made;
}

/** CRC-32C (Castagnoli) of `bytes[from, to)`, unsigned. */
export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  const [t0, t1, t2, t3] = tables;
  let crc = -1;
  let i = from;
  for (const end = from + ((to - from) & ~3); i < end; i += 4) {
    crc ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    crc = t3[crc & 0xff] ^ t2[(crc >>> 8) & 0xff] ^ t1[(crc >>> 16) & 0xff] ^ t0[crc >>> 24];
  }
  for (; i < to; i++) crc = t0[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}
