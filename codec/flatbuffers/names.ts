import { type FbsField, type FbsFile, type FbsType, parseFlatbuffers } from '../registry/rules/flatbuffers-file.ts';
import { camelCase } from '../schema/declaration.ts';
import { FIRST_FIELD_ID } from '../schema/fbs.ts';
import { FIRST_KIND } from '../schema/numbers.ts';
import { lazyNames, type UnknownType, type WriterNames } from '../writer-names.ts';

/** What the text of a `.fbs`, built as `telemetry.fbs`, names. */
export const flatNames = (text: string): WriterNames => lazyNames(() => new FlatNames(parseFlatbuffers(text)));

/** Types of one byte; an enum has one of them. */
const BYTES: ReadonlySet<string> = new Set(['ubyte', 'byte', 'uint8', 'int8']);

class FlatNames implements WriterNames {
  private readonly file: FbsFile;
  private readonly namespace: string;
  /** By number: the table of a kind, without namespace. */
  private readonly tables = new Map<number, string>();

  constructor(file: FbsFile) {
    this.file = file;
    const root = [...file.types.keys()].find((name) => name === file.root || name.endsWith(`.${file.root}`)) ?? '';
    this.namespace = root.slice(0, root.lastIndexOf('.') + 1);
    const union = file.types.get(root)?.fields.find(({ name }) => name === 'fields');
    for (const [name, number] of this.named(union?.type ?? '')?.words ?? [])
      this.tables.set(number + FIRST_KIND - 1, name);
  }

  kind(kind: number): string | undefined {
    const table = this.tables.get(kind);
    return table === undefined ? undefined : table.charAt(0).toLowerCase() + table.slice(1);
  }

  field(kind: number, field: number): string | undefined {
    const name = this.told(kind, field)?.name;
    return name === undefined ? undefined : camelCase(name);
  }

  type(kind: number, field: number): UnknownType {
    const type = this.told(kind, field)?.type ?? '';
    if (type === 'double' || type === 'float64') return 'number';
    if (type === 'bool') return 'bool';
    if (type === 'string') return 'text';
    return BYTES.has(this.named(type)?.base ?? '') ? 'enum' : undefined;
  }

  word(kind: number, field: number, word: number): string | undefined {
    const words = this.named(this.told(kind, field)?.type ?? '')?.words ?? [];
    for (const [name, number] of words) if (number === word) return name;
    return undefined;
  }

  private told(kind: number, field: number): FbsField | undefined {
    return this.named(this.tables.get(kind) ?? '')?.fields[field + FIRST_FIELD_ID];
  }

  private named(type: string): FbsType | undefined {
    return this.file.types.get(this.namespace + type) ?? this.file.types.get(type);
  }
}
