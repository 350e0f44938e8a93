import * as P from '../plan.ts';
import { typeName } from '../schema/declaration.ts';
import type { WirePlan } from '../wire-plan.ts';
import type { AvroRecordType, AvroType } from './schema.ts';

/** Columns beside the fields of the kind. */
export const INVALID_COLUMN = -1;
export const OTHER_COLUMN = -2;
/** One that the fast path cannot read; it goes on where the value is null. */
export const FOREIGN_COLUMN = -3;

/** One column of a kind's record, as the writer's schema orders them. */
export interface Column {
  /** Field of the kind, or one of those above. */
  readonly field: number;
  /** Whether null stands first in a union of two. */
  readonly isOptional: boolean;
  readonly type: AvroType;
  /** Of an enum: word by symbol, -1 where the kind does not have it. */
  readonly words: Int16Array | null;
}

/** What the branches of `fields` hold, in their order. */
export interface KindColumns {
  /** Index of the kind. */
  readonly kind: number;
  readonly columns: readonly Column[];
}

const HEAD: readonly (readonly [name: string, type: string, isOptional: boolean])[] = [
  ['serial', 'string', false],
  ['deviceTime', 'long', false],
  ['receiveTime', 'long', true],
  ['txid', 'string', true],
  ['resend', 'boolean', false],
  ['seqNo', 'long', true],
];

/**
 * How the fast path reads records of the writer's schema; null where that is built otherwise than `telemetry.avsc`. The
 * records of the kinds may have more columns than ours or fewer, in any order: they are found by name.
 */
export function layoutOf(schema: AvroType, plans: readonly WirePlan[]): readonly (KindColumns | null)[] | null {
  if (schema.type !== 'record' || schema.fields.length !== HEAD.length + 1) return null;
  const isOurs = HEAD.every(([name, type, isOptional], i) => {
    const field = schema.fields[i];
    const of = valueType(field.type);
    const isMicros = of.type === 'long' && of.isMicros;
    return field.name === name && of.type === type && !isMicros && (of !== field.type) === isOptional;
  });
  const fields = schema.fields[HEAD.length];
  if (!isOurs || fields.name !== 'fields' || fields.type.type !== 'union') return null;
  return fields.type.branches.map((branch) => (branch.type === 'record' ? columnsOf(branch, plans) : null));
}

/** What stands beside null in an optional type; else the type itself. */
function valueType(type: AvroType): AvroType {
  const isOptional = type.type === 'union' && type.branches.length === 2 && type.branches[0].type === 'null';
  return isOptional ? type.branches[1] : type;
}

function columnsOf(record: AvroRecordType, plans: readonly WirePlan[]): KindColumns | null {
  const kind = plans.findIndex((plan) => typeName(plan.kind.name) === record.name);
  if (kind < 0) return null;
  const columns = record.fields.map(({ name, type }): Column => {
    const of = valueType(type);
    const field = columnOf(plans[kind], name, of);
    const words = of.type === 'enum' && field >= 0 ? plans[kind].wordsOfSymbols(field, of.symbols) : null;
    return { field, isOptional: of !== type, type: of, words };
  });
  return { kind, columns };
}

const TYPE_OF = new Map<number, AvroType['type']>([
  [P.NUMBER, 'double'],
  [P.NUMBER_OR_NONE, 'double'],
  [P.ENUM, 'enum'],
  [P.BOOL, 'boolean'],
  [P.TEXT, 'string'],
  [P.LIST, 'array'],
  [P.ALERTS, 'array'],
]);

function columnOf({ kind }: WirePlan, name: string, type: AvroType): number {
  if (name === 'invalid' && type.type === 'array' && type.items.type === 'int') return INVALID_COLUMN;
  if (name === 'other' && type.type === 'map' && type.items.type === 'string') return OTHER_COLUMN;
  const field = kind.indexOf.get(name);
  return field !== undefined && TYPE_OF.get(kind.shape[field]) === type.type ? field : FOREIGN_COLUMN;
}
