/**
 * Decodes the reference record in every wire format, by ours and by the usual libraries: ns of CPU time per record, in
 * rounds in which all take turns. Ours fills a reading, checks it and counts; the libraries only make objects.
 *
 *   node bench/decode-formats.ts [--records 100000] [--rounds 15] [--json]
 */
import { parseArgs } from 'node:util';
import avro from 'avsc';
import protobuf from 'protobufjs';
import { kinds } from '../actors/device/index.ts';
import { BUILT_IN_SCHEMAS } from '../codec/built-in.ts';
import { TelemetryEncoder } from '../codec/encode.ts';
import type { TelemetryDocument } from '../codec/encode-parts.ts';
import { referenceRecord } from '../codec/fixture.ts';
import { schemaText } from '../codec/schema/files.ts';
import { type Format, withHeader } from '../codec/wire.ts';
import { WireDecoder } from '../codec/wire-decoder.ts';
import { Reading } from '../runtime/shard/reading.ts';
import { machine, spread } from './report.ts';

interface Values {
  readonly bytes: Buffer;
  /** Value i is bytes [starts[i], starts[i + 1]). */
  readonly starts: Uint32Array;
  /** Bytes of its header. */
  readonly header: number;
}

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
  },
});
const count = Number(options.records);
const now = Date.UTC(2030, 0, 1);

/** The reference records of 1000 assets. `change`: what is done to each. */
function makeRecords(change: (record: TelemetryDocument) => TelemetryDocument): TelemetryDocument[] {
  return Array.from({ length: count }, (_, i) => change(JSON.parse(referenceRecord(i % 1000, Math.floor(i / 1000)))));
}

function makeValues(records: readonly TelemetryDocument[], format: Format): Values {
  const encoder = new TelemetryEncoder(kinds);
  const schema = BUILT_IN_SCHEMAS.find((one) => one.format === format && one.subject === 'telemetry');
  const parts = records.map((record) => {
    const bytes = encoder.encode(record, format);
    return schema === undefined ? bytes : withHeader(schema, bytes);
  });
  const starts = new Uint32Array(parts.length + 1);
  parts.forEach((part, i) => {
    starts[i + 1] = starts[i] + part.length;
  });
  const header = schema === undefined ? 0 : withHeader(schema, new Uint8Array(0)).length;
  return { bytes: Buffer.concat(parts), starts, header };
}

const reading = new Reading();

function ours({ bytes, starts }: Values, decoder: WireDecoder): number {
  let sum = 0;
  for (let i = 0; i + 1 < starts.length; i++) {
    if (decoder.decode(bytes, starts[i], starts[i + 1], now, reading) !== 0) throw new Error('refused');
    sum += reading.deviceTime % 1000;
  }
  return sum;
}

/** `make` turns one value into an object. */
function theirs({ bytes, starts, header }: Values, make: (value: Buffer) => { serial?: unknown }): number {
  let sum = 0;
  for (let i = 0; i + 1 < starts.length; i++)
    sum += String(make(bytes.subarray(starts[i] + header, starts[i + 1])).serial).length;
  return sum;
}

const message = protobuf.parse(schemaText('telemetry', 'protobuf')).root.lookupType('Telemetry');
const avroType = avro.Type.forSchema(JSON.parse(schemaText('telemetry', 'avro')));

/** What takes turns: ours in four formats, and what people use. */
function contenders(records: readonly TelemetryDocument[]): Record<string, { values: Values; run(): number }> {
  const [json, proto, avroValues, flat] = (['json', 'protobuf', 'avro', 'flatbuffers'] as const).map((format) =>
    makeValues(records, format),
  );
  const oursIn = (values: Values) => {
    const decoder = new WireDecoder(kinds);
    return { values, run: () => ours(values, decoder) };
  };
  const theirsIn = (values: Values, make: (value: Buffer) => { serial?: unknown }) => ({
    values,
    run: () => theirs(values, make),
  });
  return {
    'JSON, ours': oursIn(json),
    'JSON.parse': theirsIn(json, (value) => JSON.parse(value.toString())),
    'Protobuf, ours': oursIn(proto),
    protobufjs: theirsIn(proto, (value) => message.decode(value) as { serial?: unknown }),
    'Avro, ours': oursIn(avroValues),
    avsc: theirsIn(avroValues, (value) => avroType.fromBuffer(value)),
    'FlatBuffers, ours': oursIn(flat),
  };
}

function measure(records: readonly TelemetryDocument[]) {
  const all = Object.entries(contenders(records));
  const nanoseconds = new Map(all.map(([name]) => [name, [] as number[]]));
  for (let round = -3; round < Number(options.rounds); round++) {
    for (const [name, { run }] of all) {
      const from = process.threadCpuUsage();
      run();
      const { user, system } = process.threadCpuUsage(from);
      if (round >= 0) nanoseconds.get(name)?.push(((user + system) * 1000) / count);
    }
  }
  return all.map(([name, { values }]) => ({
    name,
    bytesPerRecord: Math.round(values.bytes.length / count),
    nsPerRecord: spread(nanoseconds.get(name) ?? []),
  }));
}

const withFields = (record: TelemetryDocument, more: TelemetryDocument['fields']): TelemetryDocument => ({
  ...record,
  fields: { ...record.fields, ...more },
});

const SHAPES: Record<string, (record: TelemetryDocument) => TelemetryDocument> = {
  reference: (record) => record,
  'with an unknown field': (record) => withFields(record, { fanRpm: 1200 + (String(record.txid).charCodeAt(0) % 97) }),
  'with an unknown word (by way of a document)': (record) => withFields(record, { gridStatus: 'SystemOnFire' }),
  'with firmware, an alert and an unknown field': (record) =>
    withFields(record, {
      firmware: '24.12.1 a1b2c3',
      alerts: [{ name: 'WaitForSolar', severity: 'informational', startedAt: 1657256400000 }],
      fanRpm: 1200,
    }),
};

const results = Object.entries(SHAPES).map(([shape, change]) => ({ shape, contenders: measure(makeRecords(change)) }));
if (options.json) console.log(JSON.stringify({ machine: machine(), results }));
else {
  console.log(machine());
  for (const { shape, contenders: list } of results) {
    console.log(`\n${shape}\n| decoder | bytes | ns per record (min .. max) |\n|---|---:|---:|`);
    for (const { name, bytesPerRecord, nsPerRecord: ns } of list)
      console.log(
        `| ${name} | ${bytesPerRecord} | ${ns.median.toFixed(0)} (${ns.min.toFixed(0)} .. ${ns.max.toFixed(0)}) |`,
      );
  }
}
