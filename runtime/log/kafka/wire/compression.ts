import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import makeSnappy from 'kafkajs-snappy';
import lz4 from 'lz4-napi';
import type { Compression } from '../connection.ts';
import { inflatedLimit, lz4Bound, snappyBound } from './inflated-size.ts';

/** Codecs in the order of the protocol: the index is what a batch's attributes name. */
export const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

interface Codec {
  compress(bytes: Buffer): Buffer | Promise<Buffer>;
  decompress(bytes: Buffer): Buffer | Promise<Buffer>;
}

const snappy = makeSnappy();

const codecs: Record<Exclude<Compression, 'none'>, Codec> = {
  gzip: {
    compress: (bytes) => gzipSync(bytes),
    decompress: (bytes) => gunzipSync(bytes, { maxOutputLength: inflatedLimit }),
  },
  snappy: {
    compress: (buffer) => snappy.compress({ buffer }),
    async decompress(bytes) {
      snappyBound(bytes);
      const inflated = await snappy.decompress(bytes);
      return Buffer.from(inflated.buffer, inflated.byteOffset, inflated.length);
    },
  },
  lz4: {
    compress: (bytes) => lz4.compressFrameSync(bytes),
    decompress(bytes) {
      lz4Bound(bytes);
      return lz4.decompressFrameSync(bytes);
    },
  },
  zstd: {
    compress: (bytes) => zstdCompressSync(bytes),
    decompress: (bytes) => zstdDecompressSync(bytes, { maxOutputLength: inflatedLimit }),
  },
};

export function compress(codec: Exclude<Compression, 'none'>, bytes: Buffer): Buffer | Promise<Buffer> {
  return codecs[codec].compress(bytes);
}

/** Throws where the bytes are damaged, or would grow beyond {@link inflatedLimit}. */
export function decompress(codec: Exclude<Compression, 'none'>, bytes: Buffer): Buffer | Promise<Buffer> {
  return codecs[codec].decompress(bytes);
}
