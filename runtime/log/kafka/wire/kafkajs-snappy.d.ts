declare module 'kafkajs-snappy' {
  /** Snappy as Kafka frames it. */
  export default function make(): {
    compress(encoder: { buffer: Buffer }): Promise<Buffer>;
    decompress(bytes: Buffer): Promise<Uint8Array>;
  };
}
