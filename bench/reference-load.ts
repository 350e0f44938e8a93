import { createHash } from 'node:crypto';

/** The reference load: Powerwalls, a reading of 8 fields and a txid in about 250 bytes every 10 s, some late, some twice. */
export interface LoadOptions {
  readonly assets: number;
  /** Readings per asset. */
  readonly steps: number;
  readonly cadenceMs?: number;
  /** Share of readings delivered late. @default 0.01 */
  readonly late?: number;
  /** Late ones come one cadence to so much later. @default 120000 */
  readonly maxLateMs?: number;
  /** Share of readings delivered twice. @default 0.01 */
  readonly duplicate?: number;
  /** Of charging and discharging. @default 21600000 */
  readonly periodMs?: number;
  readonly seed?: number;
}

export interface LoadRecord {
  readonly key: string;
  readonly value: Buffer;
}

export const LOAD_START = Date.UTC(2026, 5, 1, 6);

/** The readings in the order of delivery, step by step. */
export function* referenceLoad(options: LoadOptions): Generator<LoadRecord> {
  const { assets, steps, cadenceMs = 10_000, late = 0.01, maxLateMs = 120_000, duplicate = 0.01, seed = 1 } = options;
  const { periodMs = 21_600_000 } = options;
  const random = generator(seed);
  const outWh = new Float64Array(assets).map(() => Math.floor(random() * 1e6));
  const inWh = new Float64Array(assets).map(() => Math.floor(random() * 1e6));
  const phase = new Float64Array(assets).map(() => random() * Math.PI * 2);
  const delayed = new Map<number, LoadRecord[]>();
  for (let step = 0; step < steps; step++) {
    const time = LOAD_START + step * cadenceMs;
    for (let a = 0; a < assets; a++) {
      const angle = phase[a] + (time / periodMs) * Math.PI * 2;
      const powerW = Math.round(4000 * Math.sin(angle));
      if (powerW > 0) outWh[a] += (powerW * cadenceMs) / 3_600_000;
      else inWh[a] -= (powerW * cadenceMs) / 3_600_000;
      const record = reading(serialOf(a), time, step, powerW, 0.5 - 0.4 * Math.cos(angle), outWh[a], inWh[a]);
      if (random() < late) {
        const due = step + 1 + Math.floor(random() * Math.max(1, maxLateMs / cadenceMs));
        const list = delayed.get(due);
        if (list === undefined) delayed.set(due, [record]);
        else list.push(record);
      } else {
        yield record;
        if (random() < duplicate) yield record;
      }
    }
    yield* delayed.get(step) ?? [];
    delayed.delete(step);
  }
}

const DEVICE_TIME = '"deviceTime":';

export function serialOf(asset: number): string {
  return `PW-${String(asset).padStart(7, '0')}`;
}

/** Another time for a reading, epoch milliseconds; nothing else of it changes. */
export function setDeviceTime(value: Buffer, time: number): void {
  // 13 digits for 13 digits.
  value.write(String(time), value.indexOf(DEVICE_TIME) + DEVICE_TIME.length, 'latin1');
}

function reading(
  serial: string,
  time: number,
  step: number,
  powerW: number,
  soc: number,
  outWh: number,
  inWh: number,
): LoadRecord {
  const loadW = 700 + ((step * 37) % 900);
  const solarW = Math.max(0, 2500 - powerW);
  const value = `{"serial":"${serial}","kind":"powerwall","deviceTime":${time},"txid":"${serial.slice(-4)}${step.toString(36)}","fields":{"powerW":${powerW},"soc":${soc.toFixed(4)},"energyOutWh":${outWh.toFixed(1)},"energyInWh":${inWh.toFixed(1)},"siteW":${loadW - powerW - solarW},"loadW":${loadW},"solarW":${solarW},"gridStatus":"SystemGridConnected"}}`;
  return { key: serial, value: Buffer.from(value) };
}

function generator(seed: number): () => number {
  let state = createHash('sha256').update(String(seed)).digest().readUInt32LE();
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
