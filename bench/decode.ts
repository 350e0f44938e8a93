/**
 * Telemetry decoding against JSON.parse (UTF-8 decoding included) on the same bytes, in the same process, in turns.
 *
 *   node bench/decode.ts [--records 100000] [--rounds 15] [--json]
 *
 * Records lie one after the other in one buffer, as a log batch holds them.
 */
import { arch, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { KINDS, referenceRecord } from '../codec/fixture.ts';
import { createTelemetryDecoder } from '../codec/telemetry.ts';
import { Reading } from '../runtime/shard/reading.ts';

interface Records {
  readonly bytes: Buffer;
  readonly starts: Uint32Array;
}

/** `n` records of 1000 assets in one buffer. */
function makeRecords(n: number, change: (record: string) => string): Records {
  const parts: Buffer[] = [];
  const starts = new Uint32Array(n + 1);
  for (let i = 0; i < n; i++) {
    const part = Buffer.from(change(referenceRecord(i % 1000, Math.floor(i / 1000))));
    parts.push(part);
    starts[i + 1] = starts[i] + part.length;
  }
  return { bytes: Buffer.concat(parts), starts };
}

const decoder = createTelemetryDecoder(KINDS);
const reading = new Reading();
const now = Date.UTC(2030, 0, 1);

function decodeAll({ bytes, starts }: Records): number {
  let sum = 0;
  for (let i = 0; i + 1 < starts.length; i++) {
    if (decoder.decode(bytes, starts[i], starts[i + 1], now, reading) !== 0) throw new Error('refused');
    sum += reading.deviceTime % 1000;
  }
  return sum;
}

function decodeAllSlowly({ bytes, starts }: Records): number {
  let sum = 0;
  for (let i = 0; i + 1 < starts.length; i++) {
    if (decoder.decodeSlowly(bytes, starts[i], starts[i + 1], now, reading) !== 0) throw new Error('refused');
    sum += reading.deviceTime % 1000;
  }
  return sum;
}

function parseWithBuffer({ bytes, starts }: Records): number {
  let sum = 0;
  for (let i = 0; i + 1 < starts.length; i++)
    sum += JSON.parse(bytes.toString('utf8', starts[i], starts[i + 1])).serial.length;
  return sum;
}

const utf8 = new TextDecoder();

function parseWithTextDecoder({ bytes, starts }: Records): number {
  let sum = 0;
  for (let i = 0; i + 1 < starts.length; i++)
    sum += JSON.parse(utf8.decode(bytes.subarray(starts[i], starts[i + 1]))).serial.length;
  return sum;
}

const CONTENDERS = { decode: decodeAll, decodeSlowly: decodeAllSlowly, parseWithBuffer, parseWithTextDecoder };
type Contender = keyof typeof CONTENDERS;

/** Records per second of each contender, each round; the contenders take turns, so that all meet the same machine. */
function measure(records: Records, rounds: number): Record<Contender, number[]> {
  const names = Object.keys(CONTENDERS) as Contender[];
  const result = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Contender, number[]>;
  for (let round = -2; round < rounds; round++) {
    for (const name of names) {
      const from = process.hrtime.bigint();
      CONTENDERS[name](records);
      const seconds = Number(process.hrtime.bigint() - from) / 1e9;
      if (round >= 0) result[name].push((records.starts.length - 1) / seconds);
    }
  }
  return result;
}

function summary(rates: number[]): { median: number; min: number; max: number } {
  const sorted = [...rates].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], min: sorted[0], max: sorted[sorted.length - 1] };
}

/** The shapes that are measured: the reference, and what costs more. */
const SHAPES: Record<string, (record: string) => string> = {
  reference: (record) => record,
  spaced: (record) => JSON.stringify(JSON.parse(record), null, 1),
  'keys reversed': (record) => {
    const doc = JSON.parse(record);
    doc.fields = Object.fromEntries(Object.entries(doc.fields).reverse());
    return JSON.stringify(Object.fromEntries(Object.entries(doc).reverse()));
  },
  'long numbers': (record) =>
    record.replace(/"soc":([0-9.]+)/, (_, soc) => `"soc":${Number(soc) + Number.EPSILON * 0.5 || soc}123456789012`),
  'with firmware and alerts': (record) =>
    record.replace(
      '"fields":{',
      '"fields":{"firmware":"24.12.1 a1b2c3","alerts":[{"name":"WaitForSolar","severity":"informational","startedAt":"2022-07-08T05:00:00Z"}],',
    ),
  'an escape (slow path)': (record) => record.replace('"txid":"', '"txid":"\\u0061'),
};

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
    shape: { type: 'string' },
  },
});
const shapes = values.shape === undefined ? Object.keys(SHAPES) : [values.shape];
const results = shapes.map((shape) => {
  const records = makeRecords(Number(values.records), SHAPES[shape]);
  const rates = measure(records, Number(values.rounds));
  const parse = Math.max(summary(rates.parseWithBuffer).median, summary(rates.parseWithTextDecoder).median);
  return {
    shape,
    bytesPerRecord: Math.round(records.bytes.length / Number(values.records)),
    recordsPerSecond: Object.fromEntries(Object.entries(rates).map(([name, list]) => [name, summary(list)])),
    timesJsonParse: summary(rates.decode).median / parse,
  };
});
const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, ${arch()}, Node ${process.version}`;
if (values.json) console.log(JSON.stringify({ machine, results }));
else {
  console.log(machine);
  for (const result of results) {
    console.log(`\n${result.shape} (${result.bytesPerRecord} bytes): ${result.timesJsonParse.toFixed(2)} x JSON.parse`);
    for (const [name, rate] of Object.entries(result.recordsPerSecond)) {
      console.log(
        `  ${name.padEnd(22)} ${(rate.median / 1e6).toFixed(3)} M/s  (${(rate.min / 1e6).toFixed(3)} .. ${(rate.max / 1e6).toFixed(3)})`,
      );
    }
  }
}
