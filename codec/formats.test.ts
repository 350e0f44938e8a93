import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kinds } from '../actors/device/index.ts';
import { Reading } from '../runtime/shard/reading.ts';
import { contentOf } from '../runtime/shard/entry-layout.ts';
import { EntryWriter } from '../runtime/shard/window-entry.ts';
import { TelemetryEncoder } from './encode.ts';
import type { TelemetryDocument } from './encode-parts.ts';
import { KINDS, referenceRecord } from './fixture.ts';
import type { DecodedKind } from './plan.ts';
import { REASONS } from './reasons.ts';
import type { TelemetryDecoder } from './telemetry.ts';
import { records } from './testing/records.ts';
import type { Format } from './wire.ts';
import { decoderOf, FORMATS } from './testing/decoders.ts';

const NOW = Date.parse('2022-07-08T09:00:02Z');
/** Everything that decoding says, comparable: the reason, or the reading and its content as the shard keeps it. */
function outcome(decoder: TelemetryDecoder, bytes: Uint8Array, slowly = false): unknown {
  const reading = new Reading();
  const before = new Map(decoder.problems);
  const padded = Buffer.concat([Buffer.from([0xff, 0x22]), bytes, Buffer.from([0x22, 0x7d, 0xff])]);
  const reason = slowly
    ? decoder.decodeSlowly(padded, 2, 2 + bytes.length, NOW, reading)
    : decoder.decode(padded, 2, 2 + bytes.length, NOW, reading);
  const problems = [...decoder.problems].flatMap(([code, count]) => {
    const more = count - (before.get(code) ?? 0);
    return more > 0 ? [[code, more]] : [];
  });
  if (reason !== 0) return { reason: REASONS[reason].code, problems };
  const { kind, deviceTime, receiveTime, txid, seqNo, resend, present, invalid, extra } = reading;
  const values = [...reading.values].map((value, i) => (((present & ~invalid) >>> i) & 1 ? value : 'none'));
  const writer = new EntryWriter();
  const length = writer.reading(0, reading, -1);
  const content = Buffer.from(contentOf(writer.bytes.subarray(0, length))).toString('hex');
  const said = { kind, deviceTime, receiveTime, txid, seqNo, resend, present, invalid, extra, values };
  return { problems, ...said, serial: decoder.serial(), content };
}

describe.each([
  ['the kinds of devices', kinds as readonly DecodedKind[]],
  ['the kinds of the codec tests', KINDS],
])('%s', (_, of) => {
  const encoder = new TelemetryEncoder(of);
  const decoders = new Map(FORMATS.map((format) => [format, decoderOf(format, of)]));
  const decoder = (format: Format) => decoders.get(format) as TelemetryDecoder;

  function agree(record: TelemetryDocument): void {
    const expected = outcome(decoder('json'), encoder.encode(record, 'json'), true);
    for (const format of FORMATS) {
      const bytes = encoder.encode(record, format);
      expect(outcome(decoder(format), bytes), format).toEqual(expected);
      expect(outcome(decoder(format), bytes, true), `${format}, slowly`).toEqual(expected);
    }
  }

  it('mean the same in every format', () => {
    fc.assert(fc.property(records(of), agree), { numRuns: Number(process.env.GRIDFOLD_PROPERTY_RUNS ?? 500) });
    for (const format of FORMATS) expect(decoder(format).slowCount, format).toBeGreaterThan(0);
  });

  it('mean the same where a list stands in the place of a sample', () => {
    const deviceTime = Date.parse('2022-07-08T09:00:00Z');
    agree({ serial: 'PW-1', kind: 'supercharger', deviceTime, fields: { meterValues: [[]] } } as TelemetryDocument);
  });

  it('are read without a document where they are as usual', () => {
    const fresh = FORMATS.map((format) => [format, decoderOf(format, of)] as const);
    for (let step = 0; step < 50; step++) {
      const record = JSON.parse(referenceRecord(step, step)) as TelemetryDocument;
      for (const [format, one] of fresh) {
        expect(outcome(one, encoder.encode(record, format))).toEqual(
          outcome(decoder('json'), encoder.encode(record, 'json'), true),
        );
        expect(one.slowCount, format).toBe(0);
      }
    }
  });
});
