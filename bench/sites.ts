/**
 * What sites cost: the same mixed fleet without lifecycle records (nobody hears of its facts) and with them (sites,
 * cabinets and regions fold what their members tell), and the memory of a site by members and cadence.
 *
 *   node --expose-gc bench/sites.ts [--assets 1000] [--minutes 40] [--cadence-s 60] [--runs 3] [--members 1,20,200] [--json]
 *
 * Timed: CPU time of the thread for decoder, index, window, fold and facts; not timed: making records, the log between
 * the two stages, the disk. Memory: a site of Powerwalls after 30 h of readings, the most that it holds before the
 * first of it is forgotten: what its side record adds to heap and buffers, and the size of its snapshot record.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { deviceType } from '../actors/device/index.ts';
import { siteType } from '../actors/site/index.ts';
import type { OutputRecord, RecordBatch } from '../runtime/log/contract.ts';
import { createFleet } from '../sim/fleet/index.ts';
import { demoMix } from '../sim/fleet/mix.ts';
import { encodeRecord } from '../snapshots/record.ts';
import { batchesOf, type KeyedRecord, keyed } from './batches.ts';
import { LonePartition } from './partition.ts';
import { machine, spread } from './report.ts';

const { values: args } = parseArgs({
  options: {
    assets: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '40' },
    'cadence-s': { type: 'string', default: '60' },
    runs: { type: 'string', default: '3' },
    members: { type: 'string', default: '1,20,200' },
    json: { type: 'boolean', default: false },
  },
});
const START = Date.UTC(2026, 5, 1, 16);
const MINUTE_MS = 60_000;
const HOURS_HELD = 30;
/** Small sites are measured several at once. */
const LEAST_MEMBERS = 20;
const ASSETS = Number(args.assets);

/** Sums of what passed through the stage of places. */
class Places {
  readonly partition: LonePartition;
  contributions = 0;

  constructor(partition: LonePartition) {
    this.partition = partition;
  }

  /** Folds contributions, and those that come of them: sites tell their region. */
  async take(records: readonly OutputRecord[], timestamp: number): Promise<void> {
    for (let left = records; left.length > 0; ) {
      const next: OutputRecord[] = [];
      for (const batch of batchesOf(left, timestamp)) {
        next.push(...this.partition.take(batch));
        await nextTurn();
      }
      this.contributions += left.length;
      left = next;
    }
  }
}

interface Load {
  readonly lifecycle: readonly RecordBatch[];
  readonly telemetry: readonly RecordBatch[];
  readonly records: number;
}

function load(): Load {
  const cadenceMs = Number(args['cadence-s']) * 1000;
  const fleet = createFleet({ ...demoMix(ASSETS), startTime: START, cadenceMs });
  const telemetry: RecordBatch[] = [];
  let records = 0;
  for (let now = START + cadenceMs; now <= START + Number(args.minutes) * MINUTE_MS; now += cadenceMs) {
    const told = fleet.tick(now).filter(({ topic }) => topic === 'telemetry');
    telemetry.push(...batchesOf(told.map(keyed), now));
    records += told.length;
  }
  return { lifecycle: batchesOf([...fleet.lifecycleRecords()].map(keyed), START), telemetry, records };
}

interface Run {
  readonly deviceS: number;
  readonly placeS: number;
  readonly contributions: number;
  readonly events: number;
  readonly placeEvents: number;
}

async function run({ lifecycle, telemetry }: Load, withSites: boolean): Promise<Run> {
  const devices = await LonePartition.open(deviceType, ASSETS);
  const places = new Places(await LonePartition.open(siteType, ASSETS / 2));
  if (withSites) for (const batch of lifecycle) await places.take(devices.take(batch, 'lifecycle'), batch.timestamp);
  devices.seconds = places.partition.seconds = places.contributions = devices.events = places.partition.events = 0;
  for (const batch of telemetry) {
    await places.take(devices.take(batch), batch.timestamp);
    await nextTurn();
  }
  await devices.close();
  await places.partition.close();
  return {
    deviceS: devices.seconds,
    placeS: places.partition.seconds,
    contributions: places.contributions,
    events: devices.events,
    placeEvents: places.partition.events,
  };
}

async function speed(): Promise<object> {
  const told = load();
  const runs: { without: Run; with: Run }[] = [];
  for (let i = 0; i <= Number(args.runs); i++) {
    const pair = { without: await run(told, false), with: await run(told, true) };
    // The first pair is for the compiler.
    if (i > 0) runs.push(pair);
  }
  const { records } = told;
  const [{ with: some }] = runs;
  return {
    records,
    contributionsPerRecord: Number((some.contributions / records).toFixed(2)),
    eventsPerRecord: Number((some.events / records).toFixed(3)),
    placeEventsPerRecord: Number((some.placeEvents / records).toFixed(3)),
    perSWithout: spread(runs.map((r) => records / r.without.deviceS)),
    perSDeviceStageWith: spread(runs.map((r) => records / r.with.deviceS)),
    perSBothStages: spread(runs.map((r) => records / (r.with.deviceS + r.with.placeS))),
    contributionsPerS: spread(runs.map((r) => r.with.contributions / r.with.placeS)),
    timesWithout: spread(runs.map((r) => (r.with.deviceS + r.with.placeS) / r.without.deviceS)),
  };
}

function powerwalls(members: number, time: number): KeyedRecord[] {
  return Array.from({ length: members }, (_, a) => {
    const angle = a + (time / 21_600_000) * Math.PI * 2;
    const powerW = Math.round(4000 * Math.sin(angle));
    const soc = Number((0.5 - 0.4 * Math.cos(angle)).toFixed(4));
    const fields = { powerW, soc, siteW: -1000 - powerW, loadW: 700 + a, solarW: 1500, energyFullWh: 13_500 };
    return record(`PW-${a}`, { deviceTime: new Date(time).toISOString(), fields });
  });
}

function installed(members: number, cadenceSeconds: number): KeyedRecord[] {
  const eventTime = new Date(START - MINUTE_MS).toISOString();
  return Array.from({ length: members }, (_, a) => {
    const data = { siteId: 'S-1', position: `battery-${a}`, timeZone: 'UTC', cadenceSeconds };
    const about = { id: `installed/${a}`, type: 'installed', eventTime, recordTime: eventTime, source: 'bench', data };
    return record(`PW-${a}`, about);
  });
}

function record(serial: string, value: object): KeyedRecord {
  return { key: Buffer.from(serial), value: Buffer.from(JSON.stringify({ serial, kind: 'powerwall', ...value })) };
}

/** What is left of a site of so many members after the time it holds: its side record. */
async function siteOf(members: number, cadenceMinutes: number): Promise<object> {
  const devices = await LonePartition.open(deviceType, members);
  const places = new Places(await LonePartition.open(siteType, 1));
  for (const batch of batchesOf(installed(members, cadenceMinutes * 60), START))
    await places.take(devices.take(batch, 'lifecycle'), START);
  for (let minute = 0; minute < HOURS_HELD * 60; minute += cadenceMinutes) {
    const now = START + minute * MINUTE_MS;
    for (const batch of batchesOf(powerwalls(members, now), now)) await places.take(devices.take(batch), now);
    await nextTurn();
  }
  const { fold, state } = places.partition;
  const site = fold.lookup(Buffer.from('S-1'))!.asset;
  const side = state.read(site.block, site.slot)!;
  await devices.close();
  await places.partition.close();
  return side;
}

async function memoryInUse(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    await nextTurn();
    globalThis.gc?.();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function memory(members: number, cadenceMinutes: number): Promise<object> {
  const sides: object[] = [];
  while (sides.length * members < LEAST_MEMBERS) sides.push(await siteOf(members, cadenceMinutes));
  const sites = sides.length;
  const recordBytes = encodeRecord(Buffer.from('S-1'), sides[0]).length;
  const held = await memoryInUse();
  sides.length = 0;
  const bytes = Math.round((held - (await memoryInUse())) / sites);
  return { members, cadenceMinutes, bytes, bytesPerMember: Math.round(bytes / members), recordBytes };
}

const report = {
  machine: machine(),
  assets: ASSETS,
  cadenceS: Number(args['cadence-s']),
  speed: await speed(),
  memory: [] as object[],
};
for (const members of args.members.split(',').map(Number)) {
  for (const cadenceMinutes of [1, 5]) report.memory.push(await memory(members, cadenceMinutes));
}
if (args.json) console.log(JSON.stringify(report));
else console.dir(report, { depth: null });
