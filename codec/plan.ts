import { GridfoldError } from '../runtime/kernel/errors.ts';
import { type FieldSpec, MAX_FIELDS } from '../runtime/shard/reading.ts';
import { isPlain, WordTable } from './words.ts';

/** The part of a kind that decoding needs. */
export interface DecodedKind {
  readonly name: string;
  readonly fields: readonly FieldSpec[];
}

export const NUMBER = 0;
export const ENUM = 1;
export const BOOL = 2;
export const TEXT = 3;
export const LIST = 4;
export const ALERTS = 6;
/** A number with sentinels. */
export const NUMBER_OR_NONE = 5;
export const METER_VALUES = 7;

/** A kind's field list, prepared for decoding: parallel arrays by field index. */
export class KindPlan {
  readonly name: string;
  readonly specs: readonly FieldSpec[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly names: WordTable;
  /** NUMBER, NUMBER_OR_NONE, ENUM, BOOL, TEXT, LIST, ALERTS or METER_VALUES. */
  readonly shape: Uint8Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly sentinels: readonly (readonly number[] | null)[];
  readonly words: readonly (WordTable | null)[];
  readonly wordIndex: readonly (ReadonlyMap<string, number> | null)[];
  /** Field `seqNo`, or -1. */
  readonly seqNo: number;
  /** Field `sessionEvent`, or -1; its words in the order in which they follow each other at one instant: others, Ended, Started. */
  readonly sessionEvent: number;
  readonly eventRank: Uint8Array;
  /** Field of sampled values that fill other fields, or -1. */
  readonly meterValues: number;
  /** Guesses that save a look-up: the field that followed field i - 1 the last time, the word that field i had. */
  readonly nextField: Int16Array;
  readonly lastWord: Int16Array;

  constructor(kind: DecodedKind) {
    check(kind);
    const specs = kind.fields;
    this.name = kind.name;
    this.specs = specs;
    this.indexOf = indexed(specs.map((spec) => spec.name));
    this.names = new WordTable(
      specs.map((spec) => spec.name),
      ':',
    );
    this.shape = Uint8Array.from(specs, shapeOf);
    this.min = Float64Array.from(specs, (spec) => Math.max(spec.min ?? -Number.MAX_VALUE, -Number.MAX_VALUE));
    this.max = Float64Array.from(specs, (spec) => Math.min(spec.max ?? Number.MAX_VALUE, Number.MAX_VALUE));
    this.sentinels = specs.map((spec) => (spec.sentinels?.length ? [...spec.sentinels] : null));
    this.words = specs.map((spec) => (spec.type === 'enum' ? new WordTable(spec.words ?? [], '') : null));
    this.wordIndex = specs.map((spec) => (spec.type === 'enum' ? indexed(spec.words ?? []) : null));
    this.seqNo = specs.findIndex((spec) => spec.name === 'seqNo' && spec.type === 'number');
    this.sessionEvent = specs.findIndex((spec) => spec.name === 'sessionEvent' && spec.type === 'enum');
    this.eventRank = Uint8Array.from(specs[this.sessionEvent]?.words ?? [], rankOf);
    this.meterValues = specs.findIndex((spec) => spec.type === 'meterValues');
    this.nextField = new Int16Array(specs.length + 1);
    this.lastWord = new Int16Array(specs.length + 1);
  }
}

const rankOf = (word: string) => (word === 'Ended' ? 1 : word === 'Started' ? 2 : 0);

function shapeOf(spec: FieldSpec): number {
  switch (spec.type) {
    case 'number':
      return spec.sentinels?.length ? NUMBER_OR_NONE : NUMBER;
    case 'enum':
      return ENUM;
    case 'bool':
      return BOOL;
    case 'text':
      return TEXT;
    case 'list':
      return LIST;
    case 'alerts':
      return ALERTS;
    case 'meterValues':
      return METER_VALUES;
  }
}

const indexed = (names: readonly string[]): Map<string, number> => new Map(names.map((name, index) => [name, index]));

function check(kind: DecodedKind): void {
  const refuse = (why: string) => {
    throw new GridfoldError('codec_bad_kind', 'fix-configuration', `Kind ${kind.name}: ${why}.`);
  };
  if (kind.fields.length > MAX_FIELDS) refuse(`${kind.fields.length} fields, but at most ${MAX_FIELDS} are possible`);
  if (new Set(kind.fields.map((spec) => spec.name)).size !== kind.fields.length) refuse('a field name occurs twice');
  for (const spec of kind.fields) {
    if (![spec.name, ...(spec.words ?? [])].every(isPlain)) refuse(`${spec.name} or a word of it is not plain ASCII`);
    if (spec.type === 'enum' && new Set(spec.words).size !== (spec.words?.length ?? 0))
      refuse(`${spec.name} has a word twice`);
    if (spec.codes !== undefined && spec.codes.length !== spec.words?.length)
      refuse(`${spec.name} has not one code for each word`);
    if (spec.type === 'enum' && !spec.words?.length) refuse(`${spec.name} is an enum without words`);
  }
}
