import { gzipSync, zstdCompressSync } from 'node:zlib';
import lz4 from 'lz4-napi';
import { describe, expect, it } from 'vitest';
import { decompress } from './compression.ts';
import { inflatedLimit, lz4Bound, snappyBound } from './inflated-size.ts';

/** A frame of Xerial's around blocks that say they grow to `size` each. */
function snappyFrame(sizes: number[]): Buffer {
  const header = Buffer.concat([Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]), Buffer.alloc(8)]);
  const blocks = sizes.map((size) => {
    const varint: number[] = [];
    for (let left = size; ; left = Math.floor(left / 128)) {
      varint.push((left % 128) | (left > 127 ? 0x80 : 0));
      if (left <= 127) break;
    }
    const length = Buffer.alloc(4);
    length.writeUInt32BE(varint.length);
    return Buffer.concat([length, Buffer.from(varint)]);
  });
  return Buffer.concat([header, ...blocks]);
}

describe('bytes that grow', () => {
  const bomb = Buffer.alloc(inflatedLimit + 1);

  it.each([
    ['gzip', gzipSync(bomb)],
    ['zstd', zstdCompressSync(bomb)],
    ['lz4', lz4.compressFrameSync(bomb)],
    ['snappy', snappyFrame([inflatedLimit, 1])],
  ] as const)('are refused beyond the limit: %s', async (codec, packed) => {
    await expect((async () => decompress(codec, packed))()).rejects.toThrow();
  });

  it.each(['gzip', 'zstd', 'lz4', 'snappy'] as const)('are refused where they are no %s', async (codec) => {
    await expect(
      (async () => decompress(codec, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2])))(),
    ).rejects.toThrow();
  });

  it('are bounded by what their frames say', () => {
    expect(snappyBound(snappyFrame([1000, 24]))).toBe(1024);
    const plain = Buffer.from('abc'.repeat(100_000));
    const bound = lz4Bound(lz4.compressFrameSync(plain));
    expect(bound).toBeGreaterThanOrEqual(plain.length);
    expect(bound).toBeLessThan(4 << 20);
  });
});
