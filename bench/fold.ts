/**
 * Fold alone: decoded readings of 100 000 Powerwalls (8 fields, every 10 s), one process, one core.
 *
 *   node bench/fold.ts [assets=100000] [rounds=20] [runs=5]
 *
 * Baseline in the same run: the same arithmetic on plain objects in a Map, as one would write it first.
 */
import { Block } from '../snapshots/block.ts';
import { type Cursor, cursorFactory, MemorySides } from '../snapshots/cursor.ts';
import type { Columns } from '../snapshots/schema.ts';
import type { AssetColumns } from '../runtime/shard/columns.ts';
import type { Facts } from '../runtime/shard/derived.ts';
import { murmur2 } from '../runtime/kernel/hash.ts';
import { Reading } from '../runtime/shard/reading.ts';
import { kinds } from '../actors/device/index.ts';

const ASSETS = Number(process.argv[2] ?? 100_000);
const ROUNDS = Number(process.argv[3] ?? 20);
const RUNS = Number(process.argv[4] ?? 5);
const PER_BLOCK = 256;
const STEP_MS = 10_000;
const START = Date.UTC(2022, 6, 8);

const kind = kinds[0];
const at = (name: string) => kind.fields.findIndex((f) => f.name === name);
const [POWER, SOC, OUT, IN, SITE, LOAD, SOLAR, GRID] = [
  'powerW',
  'soc',
  'energyOutWh',
  'energyInWh',
  'siteW',
  'loadW',
  'solarW',
  'gridStatus',
].map(at);
const PRESENT = [POWER, SOC, OUT, IN, SITE, LOAD, SOLAR, GRID].reduce((mask, i) => mask | (1 << i), 0);

/** What a reading of asset `a` in round `r` says; the same for both ways. */
function fill(reading: Reading, a: number, r: number): void {
  const { values } = reading;
  const wave = ((a * 7 + (r >> 5)) % 11) - 5;
  reading.deviceTime = START + r * STEP_MS + (a % 1000);
  reading.receiveTime = reading.deviceTime + 250;
  reading.present = PRESENT;
  reading.invalid = 0;
  reading.extra = null;
  values[POWER] = wave * 1000;
  values[SOC] = 0.5 + wave / 20;
  values[OUT] = a * 1000 + r * 7;
  values[IN] = a * 900 + r * 8;
  values[SITE] = 400 - wave * 300;
  values[LOAD] = 900 + (r % 7);
  values[SOLAR] = 1500;
  values[GRID] = 0;
}

let facts = 0;
const out: Facts = {
  forwards: false,
  retract() {},
  emit() {
    facts++;
  },
};

class Fleet {
  readonly asset = cursorFactory(kind.state as never)() as unknown as Cursor<AssetColumns & Columns>;
  readonly blocks: Block[] = [];

  constructor() {
    this.asset.sides = new MemorySides();
    const encoder = new TextEncoder();
    for (let a = 0; a < ASSETS; a++) {
      if (a % PER_BLOCK === 0)
        this.blocks.push(new Block(this.blocks.length, kind.state as unknown as Block['schema']));
      const bytes = encoder.encode(`PW-${String(a).padStart(7, '0')}`);
      this.blocks[this.blocks.length - 1].add(bytes, 0, bytes.length, murmur2(bytes));
    }
  }

  round(reading: Reading, r: number): void {
    const { asset, blocks } = this;
    for (let a = 0; a < ASSETS; a++) {
      fill(reading, a, r);
      asset.attach(blocks[(a / PER_BLOCK) | 0], a % PER_BLOCK);
      kind.fold(asset, reading, kind.defaults, out);
    }
  }

  get bytes(): number {
    return this.blocks.reduce((sum, block) => sum + block.bytes, 0);
  }
}

interface Plain {
  last: number;
  powerW: number;
  soc: number;
  out: number;
  in: number;
  siteW: number;
  loadW: number;
  solarW: number;
  grid: number;
  outAcc: number;
  inAcc: number;
  total: number;
  covered: number;
  operation: string;
  pending: string;
}

/** The same arithmetic without regard for silence, void readings, faults, derates or resets. */
class PlainFleet {
  readonly assets = new Map<string, Plain>();
  readonly serials: string[] = [];

  constructor() {
    for (let a = 0; a < ASSETS; a++) this.serials.push(`PW-${String(a).padStart(7, '0')}`);
  }

  round(reading: Reading, r: number): void {
    for (let a = 0; a < ASSETS; a++) {
      fill(reading, a, r);
      const v = reading.values;
      const t = reading.deviceTime;
      const serial = this.serials[a];
      const s = this.assets.get(serial);
      if (s === undefined) {
        this.assets.set(serial, {
          last: t,
          powerW: v[POWER],
          soc: v[SOC],
          out: v[OUT],
          in: v[IN],
          siteW: v[SITE],
          loadW: v[LOAD],
          solarW: v[SOLAR],
          grid: v[GRID],
          outAcc: 0,
          inAcc: 0,
          total: 0,
          covered: 0,
          operation: 'standby',
          pending: '',
        });
        continue;
      }
      s.outAcc += v[OUT] - s.out;
      s.inAcc += v[IN] - s.in;
      s.total += v[OUT] - s.out;
      s.covered += t - s.last;
      if (Math.floor(t / 900_000) !== Math.floor(s.last / 900_000)) {
        facts++;
        s.outAcc = s.inAcc = s.covered = 0;
      }
      const p = v[POWER];
      const wanted = p > 100 ? 'discharging' : p < -100 ? 'charging' : 'standby';
      if (wanted === s.operation) s.pending = '';
      else if (s.pending === wanted) {
        s.operation = wanted;
        facts++;
      } else s.pending = wanted;
      s.last = t;
      s.powerW = p;
      s.soc = v[SOC];
      s.out = v[OUT];
      s.in = v[IN];
      s.siteW = v[SITE];
      s.loadW = v[LOAD];
      s.solarW = v[SOLAR];
      s.grid = v[GRID];
    }
  }
}

function measure(fleet: { round(reading: Reading, r: number): void }): { perSecond: number[]; facts: number } {
  const reading = new Reading();
  let r = 0;
  for (let i = 0; i < 3; i++) fleet.round(reading, r++);
  facts = 0;
  const perSecond: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    for (let i = 0; i < ROUNDS; i++) fleet.round(reading, r++);
    perSecond.push((ASSETS * ROUNDS * 1000) / (performance.now() - start));
  }
  return { perSecond: perSecond.sort((a, b) => a - b), facts: facts / (ASSETS * ROUNDS * RUNS) };
}

function generatorOnly(): number {
  const reading = new Reading();
  const start = performance.now();
  for (let r = 0; r < ROUNDS; r++) for (let a = 0; a < ASSETS; a++) fill(reading, a, r);
  return ((performance.now() - start) * 1e6) / (ASSETS * ROUNDS);
}

const show = (perSecond: number[]) => {
  const [low, middle, high] = [perSecond[0], perSecond[perSecond.length >> 1], perSecond[perSecond.length - 1]];
  const k = (n: number) => Math.round(n / 1000);
  return `${k(middle)} k/s (${k(low)}..${k(high)}), ${(1e9 / middle).toFixed(0)} ns`;
};

const fleet = new Fleet();
const folded = measure(fleet);
const bytes = fleet.bytes / ASSETS;
const plain = measure(new PlainFleet());
console.log(`assets ${ASSETS}, ${ROUNDS} rounds x ${RUNS} runs, node ${process.version}`);
console.log(`fold          ${show(folded.perSecond)}, ${folded.facts.toFixed(4)} facts per reading`);
console.log(`plain objects ${show(plain.perSecond)}, ${plain.facts.toFixed(4)} facts per reading`);
console.log(`making a reading costs ${generatorOnly().toFixed(0)} ns of both`);
console.log(
  `ratio ${(folded.perSecond[RUNS >> 1] / plain.perSecond[RUNS >> 1]).toFixed(2)}; ${bytes.toFixed(0)} bytes per asset`,
);
