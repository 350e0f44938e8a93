import { Packr } from 'msgpackr';

/**
 * What a step was: records of a topic, timers fired, open facts published, offsets of a topic that hold no record
 * (passed), or whose records the log had dropped (lost).
 */
export const StepKind = {
  telemetry: 0,
  lifecycle: 1,
  timers: 2,
  publish: 3,
  passedTelemetry: 4,
  passedLifecycle: 5,
  lostTelemetry: 6,
  lostLifecycle: 7,
} as const;

/** `count` inputs (or offsets) of one kind folded at one reading of the partition clock (for timers: all due up to `clock`). */
export interface Step {
  readonly kind: number;
  readonly count: number;
  readonly clock: number;
  /** Ids of schemas that its records name and that did not exist; see {@link InputSchemas}. */
  readonly unknownSchemas?: readonly number[];
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
/** As 1, with the unknown schemas by index of their step. */
const FORMAT_WITH_SCHEMAS = 2;

type Packed = [format: number, generation: number, commit: number, steps: number[], unknown?: number[][]];

export function encodeJournal(record: JournalRecord): Uint8Array {
  const flat: number[] = [];
  for (const s of record.steps) flat.push(s.kind, s.count, s.clock);
  const unknown = record.steps.flatMap(({ unknownSchemas: ids = [] }, i) => (ids.length > 0 ? [[i, ...ids]] : []));
  const { generation, commit } = record;
  if (unknown.length === 0) return packr.pack([FORMAT, generation, commit, flat]);
  return packr.pack([FORMAT_WITH_SCHEMAS, generation, commit, flat, unknown]);
}

export function decodeJournal(bytes: Uint8Array): JournalRecord {
  const [format, generation, commit, flat, unknown = []] = packr.unpack(bytes) as Packed;
  if (format !== FORMAT && format !== FORMAT_WITH_SCHEMAS) {
    throw new RangeError(`journal format ${format} is not known`);
  }
  const steps: Step[] = [];
  for (let i = 0; i < flat.length; i += 3) steps.push({ kind: flat[i], count: flat[i + 1], clock: flat[i + 2] });
  for (const [i, ...unknownSchemas] of unknown) steps[i] = { ...steps[i], unknownSchemas };
  return { generation, commit, steps };
}

function isPlainRun({ kind, unknownSchemas }: Step): boolean {
  return kind <= StepKind.lifecycle && unknownSchemas === undefined;
}

/** Collects the steps of the commit in progress; runs of one kind at one clock reading grow together. */
export class JournalBuilder {
  #steps: Step[] = [];

  add(kind: number, count: number, clock: number, unknownSchemas: readonly number[] = []): void {
    const last = this.#steps.at(-1);
    if (unknownSchemas.length > 0) {
      this.#steps.push({ kind, count, clock, unknownSchemas });
    } else if (last !== undefined && last.kind === kind && last.clock === clock && isPlainRun(last)) {
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
