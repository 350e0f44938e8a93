import type { InputSchemas } from '../../runtime/shard/contract.ts';
import { type SchemaTable, schemaIdsIn } from '../wire.ts';
import type { RegistryTable } from './table.ts';

type Batch = Parameters<InputSchemas['missing']>[0];

/** The schemas of a registry as the shards ask for them. */
export class RegistrySchemas implements InputSchemas {
  /** What decoders look schemas up in. */
  readonly table: RegistryTable;
  readonly #atHand: SchemaTable;

  constructor(table: RegistryTable) {
    this.table = table;
    this.#atHand = {
      // What was judged unknown lately is missing too: the run that names it must write that down.
      get(id) {
        const schema = table.get(id);
        return schema === 'unknown' ? undefined : schema;
      },
    };
  }

  missing({ bytes, valueStart, valueEnd }: Batch, from: number, to: number): ReadonlySet<number> {
    return schemaIdsIn(bytes, valueStart, valueEnd, from, to, this.#atHand);
  }

  resolve(ids: ReadonlySet<number>, signal: AbortSignal): Promise<readonly number[]> {
    return this.table.resolve(ids, signal);
  }

  require(ids: ReadonlySet<number>): Promise<void> {
    return this.table.require(ids);
  }
}
