import kafkajs from 'kafkajs';
import { compress, decompress } from './compression.ts';

/** Lets kafkajs's own producers and consumers write and read every codec; of itself it knows only gzip. */
export function registerCodecs(): void {
  const codecs = kafkajs.CompressionCodecs as Record<number, () => unknown>;
  const { Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes;
  for (const [type, name] of [
    [Snappy, 'snappy'],
    [LZ4, 'lz4'],
    [ZSTD, 'zstd'],
  ] as const) {
    codecs[type] = () => ({
      compress: async (encoder: { buffer: Buffer }) => compress(name, encoder.buffer),
      decompress: async (bytes: Buffer) => decompress(name, bytes),
    });
  }
}
