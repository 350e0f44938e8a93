/** A request or an answer of Kafka's protocol is a length of 4 bytes and as many bytes; no more of it is read here. */

/** Ids of requests that a proxy is asked to lose. */
export const ApiKey = {
  Produce: 0,
  Fetch: 1,
  ListOffsets: 2,
  Metadata: 3,
  OffsetCommit: 8,
  OffsetFetch: 9,
  FindCoordinator: 10,
  JoinGroup: 11,
  Heartbeat: 12,
  SyncGroup: 14,
  InitProducerId: 22,
  AddPartitionsToTxn: 24,
  AddOffsetsToTxn: 25,
  EndTxn: 26,
  TxnOffsetCommit: 28,
} as const;

/** More than a broker takes (`socket.request.max.bytes`). */
const MAX_FRAME_BYTES = 128 * 1024 * 1024;

/** Cuts a stream of bytes into frames, each with its length in front. An unfinished one at the end is dropped. */
export async function* frames(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let have = 0;
  let need = 4;
  for await (const chunk of stream) {
    chunks.push(chunk);
    have += chunk.length;
    if (have < need) continue;
    let bytes = Buffer.concat(chunks);
    for (need = frameBytes(bytes); bytes.length >= need; need = frameBytes(bytes)) {
      yield bytes.subarray(0, need);
      bytes = bytes.subarray(need);
    }
    chunks = [bytes];
    have = bytes.length;
  }
}

/** Length of the frame at the start with its 4 bytes of length; while those are not there: the 4 bytes. */
function frameBytes(bytes: Buffer): number {
  if (bytes.length < 4) return 4;
  const length = bytes.readInt32BE(0);
  if (length < 0 || length > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${length} bytes: this is not Kafka`);
  return 4 + length;
}

/** Which request this frame is. */
export function requestApi(frame: Buffer): number {
  return frame.readInt16BE(4);
}

/** The number that a request and its answer share. */
export function requestCorrelation(frame: Buffer): number {
  return frame.readInt32BE(8);
}

export function answerCorrelation(frame: Buffer): number {
  return frame.readInt32BE(4);
}
