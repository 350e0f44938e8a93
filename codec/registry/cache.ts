import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './file.ts';
import { MAX_SCHEMA_CHARS, schemaTypeOf } from './schema-type.ts';
import type { FoundSchema } from './source.ts';

export interface SchemaCacheOptions {
  /** Schemas kept; beyond them the one that came first goes. 1 to 100,000. @default 2000 */
  readonly maxSchemas?: number;
  /** Characters of all their texts. @default 32 Mi */
  readonly maxChars?: number;
  /** Told when the file cannot be read or written; the cache then lives in memory alone. */
  readonly onFault?: (error: Error) => void;
}

const FORMAT = 1;

/**
 * Schemas by id, in memory and in a file, so that with the registry away those that were met before go on. What an id
 * means never changes, so nothing ages. A damaged file is as good as none: the registry has it all.
 */
export class SchemaCache {
  readonly #file: string | null;
  readonly #maxSchemas: number;
  readonly #maxChars: number;
  readonly #onFault: (error: Error) => void;
  readonly #schemas = new Map<number, FoundSchema>();
  #chars = 0;

  /** `file` null: in memory alone. */
  constructor(file: string | null, options: SchemaCacheOptions = {}) {
    this.#file = file;
    this.#maxSchemas = options.maxSchemas ?? 2_000;
    this.#maxChars = options.maxChars ?? 32 * 1024 * 1024;
    this.#onFault = options.onFault ?? (() => {});
    for (const schema of file === null ? [] : this.#read(file)) this.#keep(schema);
  }

  get size(): number {
    return this.#schemas.size;
  }

  get(id: number): FoundSchema | undefined {
    return this.#schemas.get(id);
  }

  values(): Iterable<FoundSchema> {
    return this.#schemas.values();
  }

  put(schema: FoundSchema): void {
    if (this.#schemas.has(schema.id)) return;
    this.#keep(schema);
    if (this.#file === null) return;
    try {
      replaceFile(this.#file, JSON.stringify({ format: FORMAT, schemas: [...this.#schemas.values()] }));
    } catch (error) {
      this.#onFault(error as Error);
    }
  }

  #keep(schema: FoundSchema): void {
    this.#schemas.set(schema.id, schema);
    this.#chars += schema.schema.length;
    for (const [id, oldest] of this.#schemas) {
      if (this.#schemas.size <= this.#maxSchemas && this.#chars <= this.#maxChars) break;
      this.#schemas.delete(id);
      this.#chars -= oldest.schema.length;
    }
  }

  #read(file: string): FoundSchema[] {
    try {
      const { format, schemas } = JSON.parse(readFileSync(file, 'utf8')) as { format: unknown; schemas: unknown };
      if (format !== FORMAT || !Array.isArray(schemas) || !schemas.every(isSchema))
        throw new RangeError(`${file} is not a cache of schemas`);
      return schemas;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#onFault(error as Error);
      return [];
    }
  }
}

/** A file of the folder for a registry of its own: in another registry the same ids mean other schemas. */
export function cacheFile(folder: string, urls: readonly string[]): string {
  const name = createHash('sha256')
    .update([...urls].sort().join('\n'))
    .digest('hex')
    .slice(0, 16);
  return join(folder, `schemas-${name}.json`);
}

function isSchema(value: unknown): value is FoundSchema {
  const { id, schemaType, schema, subjects } = (value ?? {}) as Record<string, unknown>;
  return (
    Number.isSafeInteger(id) &&
    schemaType !== undefined &&
    schemaTypeOf(schemaType) !== undefined &&
    typeof schema === 'string' &&
    schema.length <= MAX_SCHEMA_CHARS &&
    Array.isArray(subjects) &&
    subjects.every((name) => typeof name === 'string')
  );
}
