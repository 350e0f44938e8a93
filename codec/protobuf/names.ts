import type { ProtoField, ProtoFile, ProtoMessage } from '../registry/rules/proto-file.ts';
import { parseProtobuf } from '../registry/rules/protobuf.ts';
import { camelCase } from '../schema/declaration.ts';
import { lazyNames, type UnknownType, type WriterNames } from '../writer-names.ts';

/** What the text of a `.proto`, built as `telemetry.proto`, names. */
export const protobufNames = (text: string): WriterNames => lazyNames(() => new ProtoNames(parseProtobuf(text)));

class ProtoNames implements WriterNames {
  private readonly file: ProtoFile;
  /** The first message of the file. */
  private readonly record: ProtoMessage | undefined;

  constructor(file: ProtoFile) {
    this.file = file;
    this.record = file.messages.values().next().value;
  }

  kind(kind: number): string | undefined {
    return nameOf(this.record?.fields.get(kind));
  }

  field(kind: number, field: number): string | undefined {
    return nameOf(this.message(kind)?.fields.get(field));
  }

  type(kind: number, field: number): UnknownType {
    const told = this.message(kind)?.fields.get(field);
    if (told === undefined || told.label !== 'singular') return undefined;
    if (told.type === 'bool') return 'bool';
    if (told.type === 'string') return 'text';
    if (told.type === 'double' || told.type === 'float') return 'number';
    return this.words(kind, told.type) === undefined ? undefined : 'enum';
  }

  word(kind: number, field: number, word: number): string | undefined {
    const type = this.message(kind)?.fields.get(field)?.type ?? '';
    const name = this.words(kind, type)?.get(word);
    const prefix = `${type.slice(type.lastIndexOf('.') + 1)}_`;
    return name?.startsWith(prefix) ? name.slice(prefix.length) : name;
  }

  private message(kind: number): ProtoMessage | undefined {
    const type = this.record?.fields.get(kind)?.type;
    return type === undefined ? undefined : this.file.messages.get(this.fullName(type));
  }

  private words(kind: number, type: string): ReadonlyMap<number, string> | undefined {
    const { enums } = this.file;
    return enums.get(`${this.message(kind)?.name}.${type}`) ?? enums.get(this.fullName(type));
  }

  private fullName(type: string): string {
    if (type.startsWith('.')) return type.slice(1);
    return this.file.package === '' ? type : `${this.file.package}.${type}`;
  }
}

const nameOf = (field: ProtoField | undefined) => (field === undefined ? undefined : camelCase(field.name));
