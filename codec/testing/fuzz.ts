import fc from 'fast-check';
import { kinds } from '../../actors/device/index.ts';
import { MAX_FIELDS, Reading } from '../../runtime/shard/reading.ts';
import { TelemetryEncoder } from '../encode.ts';
import type { TelemetryDocument } from '../encode-parts.ts';
import { referenceRecord } from '../fixture.ts';
import { REASONS } from '../reasons.ts';
import type { BinaryFormat } from '../schema/files.ts';
import type { TelemetryDecoder } from '../telemetry.ts';
import { withHeader } from '../wire.ts';
import { BUILT_IN_SCHEMAS } from '../built-in.ts';
import { WireDecoder } from '../wire-decoder.ts';
import { encodeLifecycle, WireLifecycleDecoder } from '../wire-lifecycle.ts';
import { AvroWriter } from '../avro/writer.ts';
import { attackedBytes } from './attacks.ts';
import { decoderOf } from './decoders.ts';
import { records } from './records.ts';
import { SAMPLE_LIFECYCLE, sampleRecord } from './samples.ts';

const NOW = Date.parse('2022-07-08T12:00:00Z');
/** More than any record of 64 KiB can say. */
const MAX_EXTRA_CHARS = 1 << 20;

export interface FuzzResult {
  /** How many records were accepted, or refused for which reason. */
  readonly tally: ReadonlyMap<string, number>;
}

/** What is wrong with how an input was taken. */
export class FuzzFailure extends Error {}

/**
 * Feeds damaged records of a format to its decoders: nothing may throw, each input is accepted or gets a reason, fast path
 * and document path agree, an accepted reading is possible and small, and no prototype changes. Throws a FuzzFailure that
 * shows the input.
 */
export function fuzzTelemetry(format: BinaryFormat, count: number, seed: number): FuzzResult {
  const encoder = new TelemetryEncoder(kinds);
  const originals = originalRecords(seed).map((record) => encoder.encode(record, format));
  const [fast, slow] = [decoderOf(format, kinds), decoderOf(format, kinds)];
  const wire = new WireDecoder(kinds);
  const schema = BUILT_IN_SCHEMAS.find((one) => one.format === format && one.subject === 'telemetry');
  return run(originals, count, seed, (bytes) => {
    const reason = agreed(fast, slow, bytes);
    const framed = withHeader(schema as (typeof BUILT_IN_SCHEMAS)[number], bytes);
    const behindHeader = wire.decode(framed, 0, framed.length, NOW, new Reading());
    if (behindHeader !== reason) throw new FuzzFailure(`behind a header it is ${REASONS[behindHeader].code}`);
    // With a header that is damaged as well.
    if (bytes.length > 0) wire.decode(Buffer.concat([Buffer.of(0), bytes]), 0, bytes.length + 1, NOW, new Reading());
    return REASONS[reason].code;
  });
}

/** The same for Avro records of a schema that invites to overdo it: empty items, lists in lists, a type inside itself. */
export function fuzzForeignAvro(count: number, seed: number): FuzzResult {
  const originals = [0, 3, 1000, 70_000, 2 ** 40].map(foreignRecord);
  const [fast, slow] = [decoderOf('avro', kinds, FOREIGN_SCHEMA), decoderOf('avro', kinds, FOREIGN_SCHEMA)];
  return run(originals, count, seed, (bytes) => REASONS[agreed(fast, slow, bytes)].code);
}

/** A record of the schema below, with so many empty items. */
function foreignRecord(emptyItems: number): Uint8Array {
  const out = new AvroWriter()
    .text('PW-1')
    .long(NOW - 1000)
    .long(0)
    .long(emptyItems);
  if (emptyItems > 0) out.long(0);
  const fields: readonly (() => AvroWriter)[] = [
    () => out.text('powerW').long(1).double(-1500),
    () => out.text('__proto__').long(2).text('own'),
    () => out.text('gone').long(0),
  ];
  return out.list(fields, (write) => write()).bytes();
}

const FOREIGN_SCHEMA = JSON.stringify({
  type: 'record',
  name: 'Node',
  fields: [
    { name: 'serial', type: 'string' },
    { name: 'deviceTime', type: 'long' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['powerwall', 'inverter'] } },
    { name: 'nothing', type: { type: 'array', items: 'null' } },
    {
      name: 'fields',
      type: { type: 'map', values: ['null', 'double', 'string', 'Node', { type: 'array', items: 'Node' }] },
    },
  ],
});

/** The same for lifecycle records. */
export function fuzzLifecycle(format: BinaryFormat, count: number, seed: number): FuzzResult {
  const schema = BUILT_IN_SCHEMAS.find((one) => one.format === format && one.subject === 'lifecycle');
  const originals = ['installed', 'firmwareUpdate', 'corrected', 'shipped'].map((type) =>
    encodeLifecycle(
      {
        ...SAMPLE_LIFECYCLE,
        type,
        data: { ...SAMPLE_LIFECYCLE.data, parts: ['a', 'b'], ['__proto__']: { polluted: 1 } },
      },
      format,
    ),
  );
  const decoder = new WireLifecycleDecoder(new Set(kinds.map((kind) => kind.name)));
  return run(originals, count, seed, (bytes) => {
    const framed = withHeader(schema as (typeof BUILT_IN_SCHEMAS)[number], bytes);
    const outcome = decoder.decode(framed, 0, framed.length, NOW);
    if (outcome.ok && JSON.stringify(outcome.record).length > MAX_EXTRA_CHARS)
      throw new FuzzFailure('it says too much');
    return outcome.ok ? 'ok' : outcome.reason;
  });
}

function originalRecords(seed: number): TelemetryDocument[] {
  return [
    ...fc.sample(records(kinds), { numRuns: 300, seed }),
    ...Array.from({ length: 50 }, (_, i) => JSON.parse(referenceRecord(i, i)) as TelemetryDocument),
    ...kinds.map(sampleRecord),
  ];
}

function run(
  originals: readonly Uint8Array[],
  count: number,
  seed: number,
  take: (bytes: Uint8Array) => string,
): FuzzResult {
  const tally = new Map<string, number>();
  const inputs = attackedBytes(originals, seed);
  for (let i = 0; i < count; i++) {
    const { name, bytes } = inputs.next().value;
    try {
      const reason = take(bytes);
      tally.set(reason, (tally.get(reason) ?? 0) + 1);
    } catch (error) {
      const why = error instanceof FuzzFailure ? error.message : error instanceof Error ? error.stack : error;
      throw new FuzzFailure(`input ${i} of seed ${seed}, "${name}": ${why}\n${Buffer.from(bytes).toString('hex')}`);
    }
  }
  const added = Object.keys(Object.prototype).concat(Object.keys(Array.prototype));
  if (added.length > 0) throw new FuzzFailure(`seed ${seed}: prototypes have got ${added}`);
  return { tally };
}

const [reading, reference] = [new Reading(), new Reading()];

/** The reason that both ways give. */
function agreed(fast: TelemetryDecoder, slow: TelemetryDecoder, bytes: Uint8Array): number {
  // Memory goes on behind the record, as in a batch.
  const padded = Buffer.concat([Buffer.of(1), bytes, Buffer.of(8, 8, 8, 8, 8, 8, 8, 8, 8)]);
  const reason = fast.decode(padded, 1, 1 + bytes.length, NOW, reading);
  const expected = slow.decodeSlowly(padded, 1, 1 + bytes.length, NOW, reference);
  if (reason !== expected)
    throw new FuzzFailure(`it is ${REASONS[reason].code}, but by way of a document ${REASONS[expected].code}`);
  if (reason !== 0) return reason;
  const said = written(reading, fast.serial());
  if (said !== written(reference, slow.serial())) throw new FuzzFailure('the two ways differ');
  if (said.length > MAX_EXTRA_CHARS) throw new FuzzFailure('it says too much');
  if (!isPossible(reading)) throw new FuzzFailure('it is not possible');
  return reason;
}

/** What a reading says, as text; parts that mean nothing are left out. */
function written(r: Reading, serial: string): string {
  const values = Array.from(r.values, (value, i) => (((r.present & ~r.invalid) >>> i) & 1 ? value : null));
  const { kind, deviceTime, receiveTime, txid, seqNo, resend, present, invalid, extra } = r;
  return JSON.stringify([serial, kind, deviceTime, receiveTime, txid, seqNo, resend, present, invalid, extra, values]);
}

function isPossible(r: Reading): boolean {
  if ((r.invalid & ~r.present) !== 0) return false;
  if (r.deviceTime > r.receiveTime + 300_000 || r.receiveTime > NOW + 300_000) return false;
  for (let i = 0; i < MAX_FIELDS; i++)
    if (((r.present & ~r.invalid) >>> i) & 1 && !Number.isFinite(r.values[i])) return false;
  return true;
}
