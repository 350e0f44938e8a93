/**
 * What can be wrong inside a record that is accepted all the same. Index = counter.
 */
export const PROBLEMS = [
  { code: 'invalid_reported', doc: 'A field is null: the device reports it as invalid.' },
  { code: 'wrong_type', doc: 'A value has the wrong type, or a text or list is over its bounds.' },
  { code: 'out_of_range', doc: 'A number or time is outside what is possible.' },
  { code: 'sentinel', doc: 'A number that means "not available" upstream.' },
  { code: 'unknown_word', doc: 'A word that the list of an enum does not have.' },
  { code: 'unknown_field', doc: 'A field that the kind does not have; kept as text.' },
  { code: 'unknown_field_dropped', doc: 'An unknown field beyond the bounds (32 a record, names of 128 characters).' },
  { code: 'unknown_key', doc: 'A key beside `fields` that records do not have; ignored.' },
  {
    code: 'receive_time_clamped',
    doc: "receiveTime was more than 5 minutes after the log's timestamp and was set to that.",
  },
] as const;

export type ProblemCode = (typeof PROBLEMS)[number]['code'];

export const INVALID_REPORTED = 0;
export const WRONG_TYPE = 1;
export const OUT_OF_RANGE = 2;
export const SENTINEL = 3;
export const UNKNOWN_WORD = 4;
export const UNKNOWN_FIELD = 5;
export const UNKNOWN_FIELD_DROPPED = 6;
export const UNKNOWN_KEY = 7;
export const RECEIVE_TIME_CLAMPED = 8;

/** Counts problems of accepted records; those of a refused one leave no trace. */
export class ProblemCounts {
  /** Of the record at hand. */
  readonly pending = new Int32Array(PROBLEMS.length);
  private readonly settled = new Float64Array(PROBLEMS.length);

  /** The record at hand is accepted. */
  settle(): void {
    const { pending, settled } = this;
    for (let i = 0; i < pending.length; i++) {
      if (pending[i] === 0) continue;
      settled[i] += pending[i];
      pending[i] = 0;
    }
  }

  /** Of all accepted records so far. */
  get totals(): ReadonlyMap<ProblemCode, number> {
    return new Map(PROBLEMS.map(({ code }, i) => [code, this.settled[i]]));
  }
}
