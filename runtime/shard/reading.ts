/** At most this many fields per kind: a reading's presence mask is one 32-bit number. */
export const MAX_FIELDS = 31;

/**
 * One decoded record of the windowed input topic. A decoder fills the same object again and again,
 * so nobody keeps a reference to it.
 *
 * Field `i` of the kind's field list is bit `i` of the masks. Numbers, enum words (as their index) and booleans
 * (0, 1) stand in `values[i]`; texts, lists and unknown fields in `extra`.
 */
export class Reading {
  /** Index into the actor type's kinds. */
  kind = 0;
  /** Epoch milliseconds. */
  deviceTime = 0;
  /** Epoch milliseconds; 0 = the record names none and the log's timestamp stands in. */
  receiveTime = 0;
  /** Fingerprint of the record's txid; 0 = none. */
  txid = 0;
  /** Sequence number given by the device, for the total order; -1 = none. A decoder may put readings of one number in order by fractions. */
  seqNo = -1;
  resend = false;
  /** Fields that the record names, valid or not. */
  present = 0;
  /** Fields that the record reports as invalid: null, a sentinel, a wrong type, an impossible value. Subset of `present`. */
  invalid = 0;
  readonly values = new Float64Array(MAX_FIELDS + 1);
  /** Texts, lists and unknown fields as [name, value] in ascending order of name; null where there are none. */
  extra: [name: string, value: unknown][] | null = null;
  /** What the decoder of an actor type with records of another shape leaves for its kinds; null otherwise. */
  content: unknown = null;
}

export type FieldType = 'number' | 'enum' | 'bool' | 'text' | 'list' | 'alerts' | 'meterValues';

/** What a field of a kind means at the door: decoder, state columns, docs and the tables come from this. */
export interface FieldSpec {
  readonly name: string;
  readonly type: FieldType;
  readonly doc: string;
  readonly unit?: string;
  /** Enum only: the upstream's words; a word's index is its value. */
  readonly words?: readonly string[];
  /** Enum only: the upstream's number of each word, in the same order, accepted in its place. */
  readonly codes?: readonly number[];
  /** Outside [min, max] a number is impossible: reported as invalid and counted. */
  readonly min?: number;
  readonly max?: number;
  /** Numbers that mean "not available" upstream, for instance -256. */
  readonly sentinels?: readonly number[];
  /** Number only: the upstream sends it as text, so the door takes a decimal number in a string as well. */
  readonly numericText?: boolean;
}
