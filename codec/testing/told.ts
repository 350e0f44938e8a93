import { Reading } from '../../runtime/shard/reading.ts';
import type { DecodedKind } from '../plan.ts';
import { REASONS } from '../reasons.ts';
import type { WireDecoder } from '../wire-decoder.ts';

/** What a decoder makes of a value, in words: the reason, or the reading by the names of its fields. */
export function told(
  decoder: WireDecoder,
  kinds: readonly DecodedKind[],
  bytes: Uint8Array,
  timestamp: number,
): object {
  const reading = new Reading();
  const reason = REASONS[decoder.decode(bytes, 0, bytes.length, timestamp, reading)].code;
  if (reason !== 'ok') return { reason };
  const { deviceTime, receiveTime, txid, seqNo, resend, extra } = reading;
  const kind = kinds[reading.kind];
  const fields = kind.fields.flatMap(({ name, type, words }, i): [string, unknown][] => {
    if (((reading.present >>> i) & 1) === 0) return [];
    if ((reading.invalid >>> i) & 1) return [[name, 'invalid']];
    const value = reading.values[i];
    if (type === 'number') return [[name, value]];
    if (type === 'bool') return [[name, value === 1]];
    return type === 'enum' ? [[name, (words ?? [])[value]]] : [];
  });
  const serial = Buffer.from(decoder.serialBytes.subarray(decoder.serialStart, decoder.serialEnd)).toString();
  return {
    serial,
    kind: kind.name,
    deviceTime,
    receiveTime,
    txid,
    seqNo,
    resend,
    fields: Object.fromEntries(fields),
    extra: Object.fromEntries(extra ?? []),
  };
}
