import { isTooDeep, type JsonObject } from './document.ts';
import { Reason } from './reasons.ts';
import type { WirePlan } from './wire-plan.ts';
import type { UnknownType, WriterNames } from './writer-names.ts';

/** Thrown by the document path of a binary format: the index of the reason why there is no record. */
export class Refusal {
  readonly reason: number;

  constructor(reason: number) {
    this.reason = reason;
  }
}

export const UNDECODABLE = new Refusal(Reason.undecodable);
const INVALID_UTF8 = new Refusal(Reason.invalid_utf8);
const TOO_DEEP = new Refusal(Reason.too_deep);

/** A value that no field type takes: what stands for one of the wrong type. */
export const WRONG: object = Object.freeze({});

/** An object in which every key is only a key. */
export const bare = (): JsonObject => Object.create(null);

/** Collects what a binary record says into the document that JSON would be. */
export class WireDocument {
  readonly doc: JsonObject = bare();
  private readonly names: WriterNames;
  private readonly invalid: string[] = [];
  private kind = -1;
  private fields: JsonObject = bare();

  constructor(names: WriterNames) {
    this.names = names;
  }

  /** The fields that follow are those of this kind; null where there is no kind of the number. */
  startKind(number: number, plan: WirePlan | null): void {
    if (number === this.kind) return;
    this.kind = number;
    this.fields = bare();
    this.invalid.length = 0;
    this.doc.kind = plan?.kind.name ?? this.names.kind(number) ?? `#${number}`;
    this.doc.fields = this.fields;
  }

  put(name: string, value: unknown): void {
    this.fields[name] = value;
  }

  /** Name of a field that the kind does not have. */
  unknownName(number: number): string {
    return this.names.field(this.kind, number) ?? `#${number}`;
  }

  /** What the writer's schema says of the type of such a field. */
  unknownType(number: number): UnknownType {
    return this.names.type(this.kind, number);
  }

  /** The word of such a field, where the writer's schema has one of this number. */
  unknownWord(number: number, word: number): string | undefined {
    return this.names.word(this.kind, number, word);
  }

  /** A word by its number; 0 says nothing. */
  putWord(plan: WirePlan, field: number, number: number): void {
    if (number === 0) return;
    const word = plan.wordNamed(field, number) ?? this.names.word(this.kind, plan.numberOf[field], number);
    this.put(plan.kind.specs[field].name, word ?? `#${number}`);
  }

  putInvalid(plan: WirePlan | null, number: number): void {
    const field = plan?.fieldOf[number] ?? -1;
    this.invalid.push(plan !== null && field >= 0 ? plan.kind.specs[field].name : this.unknownName(number));
  }

  /** A value that the schema has no place for, as JSON text; text that is no JSON stands for itself. */
  putOther(name: string, text: string): void {
    this.put(name, otherValue(text, 2));
  }

  finish(): JsonObject {
    for (const name of this.invalid) this.fields[name] = null;
    return this.doc;
  }
}

/** The value that JSON text stands for, `depth` levels down in its document. */
export function otherValue(text: string, depth: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (isTooDeep(text, depth)) throw TOO_DEEP;
  return value;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes [start, end). */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch {
    throw INVALID_UTF8;
  }
}

/** What `make` gives, or the index of the reason for which it refused. */
export function orReason<T>(make: () => T): T | number {
  try {
    return make();
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}
