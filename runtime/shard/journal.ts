import { Packr } from 'msgpackr';

/** What a run of input was: records of a topic, timers fired, or open facts published. */
export const StepKind = { telemetry: 0, lifecycle: 1, timers: 2, publish: 3 } as const;

/** `count` inputs of one kind folded at one reading of the partition clock (for timers: all due up to `clock`). */
export interface Step {
  readonly kind: number;
  readonly count: number;
  readonly clock: number;
}

/**
 * One journal record: how the inputs of a commit were interleaved. With it the log replays to the same state:
 * two topics could otherwise be read in another order, and timers fire at another point.
 */
export interface JournalRecord {
  readonly generation: number;
  readonly commit: number;
  readonly steps: readonly Step[];
}

const packr = new Packr({ useRecords: false });
const FORMAT = 1;

export function encodeJournal(record: JournalRecord): Uint8Array {
  const flat: number[] = [];
  for (const s of record.steps) flat.push(s.kind, s.count, s.clock);
  return packr.pack([FORMAT, record.generation, record.commit, flat]);
}

export function decodeJournal(bytes: Uint8Array): JournalRecord {
  const [format, generation, commit, flat] = packr.unpack(bytes) as [number, number, number, number[]];
  if (format !== FORMAT) throw new RangeError(`journal format ${format} is not known`);
  const steps: Step[] = [];
  for (let i = 0; i < flat.length; i += 3) steps.push({ kind: flat[i], count: flat[i + 1], clock: flat[i + 2] });
  return { generation, commit, steps };
}

/** Collects the steps of the commit in progress; runs of one kind at one clock reading grow together. */
export class JournalBuilder {
  #steps: Step[] = [];

  add(kind: number, count: number, clock: number): void {
    const last = this.#steps.at(-1);
    if (last !== undefined && last.kind === kind && last.clock === clock && kind <= StepKind.lifecycle) {
      this.#steps[this.#steps.length - 1] = { kind, count: last.count + count, clock };
    } else {
      this.#steps.push({ kind, count, clock });
    }
  }

  get empty(): boolean {
    return this.#steps.length === 0;
  }

  take(): Step[] {
    const steps = this.#steps;
    this.#steps = [];
    return steps;
  }
}
