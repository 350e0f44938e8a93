import { GridfoldError } from '../runtime/kernel/errors.ts';

/** Of a field that only the writer knows; undefined where it is not known, or something else. */
export type UnknownType = 'number' | 'bool' | 'text' | 'enum' | undefined;

/** What the writer's schema says about numbers that the kinds do not have. Names are written as records name them. */
export interface WriterNames {
  kind(kind: number): string | undefined;
  field(kind: number, field: number): string | undefined;
  type(kind: number, field: number): UnknownType;
  word(kind: number, field: number, word: number): string | undefined;
}

const nothing = () => undefined;

export const NO_NAMES: WriterNames = { kind: nothing, field: nothing, type: nothing, word: nothing };

/** Names that are looked up only when the first is asked for; a schema that cannot be parsed names nothing. */
export function lazyNames(parse: () => WriterNames): WriterNames {
  let names: WriterNames | null = null;
  const known = () => {
    names ??= parsed(parse);
    return names;
  };
  return {
    kind: (kind) => known().kind(kind),
    field: (kind, field) => known().field(kind, field),
    type: (kind, field) => known().type(kind, field),
    word: (kind, field, word) => known().word(kind, field, word),
  };
}

function parsed(parse: () => WriterNames): WriterNames {
  try {
    return parse();
  } catch (error) {
    if (error instanceof GridfoldError) return NO_NAMES;
    throw error;
  }
}
