import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { AssetView } from '../../runtime/system/engine.ts';
import { type Comparison, type Expression, type Literal, parseFilter } from './grammar.ts';

/** A filter ready to run: pure, allocation-free for most assets, safe for any view. */
export interface AssetFilter {
  readonly text: string;
  /** The only kinds that can match, or null when the filter does not say. */
  readonly kinds: ReadonlySet<string> | null;
  readonly matches: (view: AssetView) => boolean;
}

type Test = (view: AssetView) => boolean;
type Read = (view: AssetView) => unknown;

/**
 * Compiles an RQL filter over `serial`, `kind`, `status`, `siteId`, `slot`, `state.REGION` and `values.FIELD`:
 * `eq ne gt ge lt le in like and or not`. A field that is absent or invalid equals `null` and is in no order.
 * Throws `filter_syntax` or `filter_field` with the place in the text.
 */
export function compileFilter(text: string): AssetFilter {
  const expression = parseFilter(text);
  return { text, kinds: kindsOf(expression), matches: compile(expression) };
}

function compile(expression: Expression): Test {
  switch (expression.op) {
    case 'and': {
      const parts = expression.parts.map(compile);
      return (view) => parts.every((part) => part(view));
    }
    case 'or': {
      const parts = expression.parts.map(compile);
      return (view) => parts.some((part) => part(view));
    }
    case 'not': {
      const part = compile(expression.part);
      return (view) => !part(view);
    }
    case 'in': {
      const tests = expression.values.map((value) => equals(reader(expression.field, expression.at), value));
      return (view) => tests.some((test) => test(view));
    }
    case 'like': {
      const read = reader(expression.field, expression.at);
      const pieces = expression.pattern.split('*');
      return (view) => {
        const value = read(view);
        return typeof value === 'string' && glob(value, pieces);
      };
    }
    default:
      return comparison(expression.op, reader(expression.field, expression.at), expression.value);
  }
}

function comparison(op: Comparison, read: Read, literal: Literal): Test {
  if (op === 'eq') return equals(read, literal);
  if (op === 'ne') {
    const equal = equals(read, literal);
    return (view) => !equal(view);
  }
  const accept = {
    gt: (order: number) => order > 0,
    ge: (order: number) => order >= 0,
    lt: (order: number) => order < 0,
    le: (order: number) => order <= 0,
  }[op];
  return (view) => {
    const order = compare(read(view), literal);
    return order !== undefined && accept(order);
  };
}

function equals(read: Read, literal: Literal): Test {
  return (view) => {
    const value = read(view);
    return typeof value === 'string' ? value === literal.raw && literal.value !== null : value === literal.value;
  };
}

function compare(value: unknown, literal: Literal): number | undefined {
  if (typeof value === 'number' && typeof literal.value === 'number') return value - literal.value;
  if (typeof value !== 'string' || typeof literal.value === 'boolean' || literal.value === null) return undefined;
  return value < literal.raw ? -1 : value > literal.raw ? 1 : 0;
}

/** Matches text against the pieces between `*`, in one pass and without a regular expression. */
function glob(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0];
  const last = pieces[pieces.length - 1];
  if (pieces.length === 1) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let from = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, from);
    if (found < 0 || found + piece.length > end) return false;
    from = found + piece.length;
  }
  return true;
}

function reader(field: string, at: number): Read {
  switch (field) {
    case 'serial':
      return (view) => view.serial;
    case 'kind':
      return (view) => view.kind;
    case 'status':
      return (view) => view.status;
    case 'siteId':
      return (view) => view.siteId;
    case 'slot':
      return (view) => view.slot;
  }
  const dot = field.indexOf('.');
  const name = field.slice(dot + 1);
  if (field.startsWith('state.') && name !== '') {
    return (view) => (Object.hasOwn(view.regions, name) ? view.regions[name].state : null);
  }
  if (field.startsWith('values.') && name !== '') {
    return (view) => {
      const held = Object.hasOwn(view.values, name) ? view.values[name] : undefined;
      return held?.valid ? (held.value ?? null) : null;
    };
  }
  throw new GridfoldError(
    'filter_field',
    'fix-configuration',
    `at ${at}: ${JSON.stringify(field.slice(0, 80))} is not a field; ` +
      'there are serial, kind, status, siteId, slot, state.REGION and values.FIELD',
  );
}

function kindsOf(expression: Expression): ReadonlySet<string> | null {
  switch (expression.op) {
    case 'eq':
      return expression.field === 'kind' ? new Set([expression.value.raw]) : null;
    case 'in':
      return expression.field === 'kind' ? new Set(expression.values.map((value) => value.raw)) : null;
    case 'and': {
      const limits = expression.parts.map(kindsOf).filter((kinds) => kinds !== null);
      if (limits.length === 0) return null;
      const [first, ...others] = limits;
      return new Set([...first].filter((kind) => others.every((kinds) => kinds.has(kind))));
    }
    case 'or': {
      const limits = expression.parts.map(kindsOf);
      if (limits.some((kinds) => kinds === null)) return null;
      return new Set(limits.flatMap((kinds) => [...(kinds ?? [])]));
    }
    default:
      return null;
  }
}
