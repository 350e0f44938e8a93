/**
 * Every kind of device through the partition fold, with the fields its simulator tells: readings per second and core,
 * after JSON (`json`) and as readings that lie ready (`decoded`), against JSON.parse of the same bytes in the same run;
 * and where the bytes of an asset are.
 *
 *   node bench/kinds.ts [--assets 2000] [--minutes 16] [--runs 3] [--calm] [--json]
 *
 * Readings come every 10 s; by default 1 % are late by up to 10 min and 1 % come twice, with `--calm` all come once
 * and in order. Blocks are as full as those of a fleet of a million in four partitions. Timed: CPU time of the thread
 * for decoder, index, window, fold and facts; not timed: making records, the log, the disk.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { deviceType } from '../actors/device/index.ts';
import type { RecordBatch } from '../runtime/log/contract.ts';
import type { Kind, ReadingDecoder } from '../runtime/shard/contract.ts';
import { Reading } from '../runtime/shard/reading.ts';
import type { PartitionState } from '../snapshots/contract.ts';
import { calmRates, createFleet, defaultRates } from '../sim/fleet/index.ts';
import { isTelemetry } from '../sim/record.ts';
import { batchesOf, type KeyedRecord, keyed, parseSeconds } from './batches.ts';
import { LonePartition } from './partition.ts';
import { machine, spread } from './report.ts';

const { values: args } = parseArgs({
  options: {
    assets: { type: 'string', default: '2000' },
    minutes: { type: 'string', default: '16' },
    runs: { type: 'string', default: '3' },
    calm: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const ASSETS = Number(args.assets);
const STEPS = Number(args.minutes) * 6;
const STEP_MS = 10_000;
const START = Date.UTC(2026, 5, 1, 17, 52);

/** How many of what the simulator makes of `assets` of a kind. */
const fleetOf: Readonly<Record<string, (assets: number) => { assets: number; cabinets?: number; megapacks?: number }>> =
  {
    powerwall: (n) => ({ assets: 2 * n }),
    inverter: (n) => ({ assets: 2 * n }),
    supercharger: (n) => ({ assets: 0, cabinets: Math.ceil(n / 4) }),
    megapack: (n) => ({ assets: 0, megapacks: n }),
  };

interface Load {
  readonly batches: readonly RecordBatch[];
  readonly records: number;
  readonly bytesPerRecord: number;
  readonly fieldsPerRecord: number;
}

/** What reaches the door of a fleet of this kind, tick by tick. */
function load(kind: Kind): Load {
  const rates = args.calm ? calmRates : defaultRates;
  const fleet = createFleet({ ...fleetOf[kind.name](ASSETS), startTime: START, cadenceMs: STEP_MS, rates });
  const batches: RecordBatch[] = [];
  let [records, bytes, fields] = [0, 0, 0];
  for (let step = 1; step <= STEPS; step++) {
    const now = START + step * STEP_MS;
    const told: KeyedRecord[] = [];
    for (const record of fleet.tick(now)) {
      if (!isTelemetry(record) || record.value.kind !== kind.name) continue;
      told.push(keyed(record));
      bytes += told[told.length - 1].value.length;
      fields += Object.keys(record.value.fields).length;
    }
    for (const batch of batchesOf(told, now)) batches.push({ ...batch, baseOffset: batch.baseOffset + records });
    records += told.length;
  }
  return { batches, records, bytesPerRecord: bytes / records, fieldsPerRecord: fields / records };
}

interface Ready {
  readonly reading: Reading;
  readonly serial: Uint8Array;
}

/** Hands out readings that were decoded before, one after the other. */
function readyDecoder(ready: readonly Ready[]): ReadingDecoder {
  const decoder = {
    serialBytes: new Uint8Array(0) as Uint8Array,
    serialStart: 0,
    serialEnd: 0,
    reasons: ['ok'],
    problems: new Map<string, number>(),
    next: 0,
    decode(_bytes: Uint8Array, _start: number, _end: number, _timestamp: number, into: Reading) {
      const { reading, serial } = ready[decoder.next++];
      copy(reading, into);
      decoder.serialBytes = serial;
      decoder.serialEnd = serial.length;
      return 0;
    },
  };
  return decoder;
}

function copy(from: Reading, to: Reading): Reading {
  to.kind = from.kind;
  to.deviceTime = from.deviceTime;
  to.receiveTime = from.receiveTime;
  to.txid = from.txid;
  to.seqNo = from.seqNo;
  to.resend = from.resend;
  to.present = from.present;
  to.invalid = from.invalid;
  to.values.set(from.values);
  to.extra = from.extra;
  return to;
}

function decodeAll({ batches }: Load): Ready[] {
  const decoder = deviceType.createDecoder();
  const reading = new Reading();
  const ready: Ready[] = [];
  for (const { bytes, count, valueStart, valueEnd, timestamp } of batches) {
    for (let i = 0; i < count; i++) {
      if (decoder.decode(bytes, valueStart[i], valueEnd[i], timestamp, reading) !== 0)
        throw new Error('a record is refused');
      const serial = decoder.serialBytes.slice(decoder.serialStart, decoder.serialEnd);
      ready.push({ reading: copy(reading, new Reading()), serial });
    }
  }
  return ready;
}

interface Run {
  readonly seconds: number;
  readonly facts: number;
  readonly memory: Memory;
}

/** Bytes by asset. */
interface Memory {
  /** Columns of the fields: newest values, and times of what fell silent. */
  readonly values: number;
  readonly times: number;
  /** All other columns in use. */
  readonly state: number;
  /** Serials, index, room to grow. */
  readonly room: number;
  /** Window that no chunk on disk holds yet. */
  readonly tails: number;
  /** The parts before. */
  readonly resident: number;
  /** Assets with a side record (on disk once a snapshot wrote it, the recently used in a cache of 8 MiB), and its bytes as JSON. */
  readonly sideShare: number;
  readonly sideBytes: number;
}

async function fold(kind: Kind, { batches }: Load, createDecoder: () => ReadingDecoder): Promise<Run> {
  const partition = await LonePartition.open({ ...deviceType, createDecoder }, ASSETS);
  for (const batch of batches) {
    partition.take(batch);
    await nextTurn();
  }
  const { seconds, events, state } = partition;
  const memory = memoryOf(kind, state);
  await partition.close();
  return { seconds, facts: events, memory };
}

function memoryOf(kind: Kind, state: PartitionState): Memory {
  const sized = new Set(kind.fields.map((f) => f.name));
  const timed = new Set(kind.fields.map((f) => `${f.name}At`));
  let [values, times, rest, resident, tails, sides, sideBytes] = [0, 0, 0, 0, 0, 0, 0];
  for (const id of state.blockIds()) {
    const block = state.block(id)!;
    resident += block.bytes;
    tails += block.window.end - block.window.chunk;
    for (const [c, name] of block.schema.names.entries()) {
      const width = block.offsets[c] < 0 ? 0 : block.schema.widths[c] * block.count;
      if (sized.has(name)) values += width;
      else if (timed.has(name)) times += width;
      else rest += width;
    }
    for (let slot = 0; slot < block.count; slot++) {
      const side = state.read(block, slot);
      if (side !== null) sides++;
      sideBytes += side === null ? 0 : JSON.stringify(side).length;
    }
  }
  const each = (bytes: number) => Math.round(bytes / state.assets);
  return {
    values: each(values),
    times: each(times),
    state: each(rest),
    room: each(resident - values - times - rest),
    tails: each(tails),
    resident: each(resident + tails),
    sideShare: Number((sides / state.assets).toFixed(3)),
    sideBytes: sides === 0 ? 0 : Math.round(sideBytes / sides),
  };
}

async function measure(kind: Kind): Promise<object> {
  const told = load(kind);
  const ready = decodeAll(told);
  const runs: { parse: number; json: Run; decoded: Run }[] = [];
  for (let run = 0; run <= Number(args.runs); run++) {
    const json = await fold(kind, told, deviceType.createDecoder);
    const decoded = await fold(kind, told, () => readyDecoder(ready));
    const parse = parseSeconds(told.batches);
    // The first run is for the compiler.
    if (run > 0) runs.push({ parse, json, decoded });
  }
  const { records } = told;
  return {
    kind: kind.name,
    records,
    bytesPerRecord: Math.round(told.bytesPerRecord),
    fieldsPerRecord: Number(told.fieldsPerRecord.toFixed(1)),
    factsPerRecord: Number((runs[0].json.facts / records).toFixed(3)),
    jsonPerS: spread(runs.map((r) => records / r.json.seconds)),
    decodedPerS: spread(runs.map((r) => records / r.decoded.seconds)),
    againstParse: spread(runs.map((r) => r.parse / r.json.seconds)),
    bytesPerAsset: runs[0].json.memory,
  };
}

const report = { machine: machine(), assets: ASSETS, steps: STEPS, kinds: [] as object[] };
for (const kind of deviceType.kinds) report.kinds.push(await measure(kind));
if (args.json) console.log(JSON.stringify(report));
else console.dir(report, { depth: null });
