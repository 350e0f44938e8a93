import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { SchemaRegistry } from './registry.ts';
import type { SchemaText } from './schema-type.ts';

/** A schema by its id, and the subjects that use it. */
export interface FoundSchema extends SchemaText {
  readonly id: number;
  readonly subjects: readonly string[];
}

export interface RegistryStatus {
  /** `untried` before the first answer; `denied` where it refuses our credentials. */
  readonly state: 'untried' | 'up' | 'down' | 'denied';
  /** Since when it is so, epoch milliseconds; 0 before the first answer. */
  readonly since: number;
  /** Code and message of the newest failure; null where the newest request succeeded. */
  readonly fault: { readonly code: string; readonly message: string } | null;
  readonly requests: number;
  readonly failures: number;
}

/** Where schemas come from: a registry behind HTTP, or the one of this process. */
export interface SchemaSource {
  /**
   * The schema of the id, or null when the registry says that there is none. Throws `registry_unavailable` or
   * `registry_answer_invalid` (retry), `registry_denied` (fix-configuration).
   */
  schema(id: number, signal?: AbortSignal): Promise<FoundSchema | null>;
  /** Registers a schema; returns its id. Throws `schema_invalid`, `schema_incompatible`, and as {@link schema}. */
  register(subject: string, text: SchemaText, signal?: AbortSignal): Promise<number>;
  status(): RegistryStatus;
}

/** The registry of this process as a source: always there. */
export function localSource(registry: SchemaRegistry): SchemaSource {
  const status: RegistryStatus = { state: 'up', since: 0, fault: null, requests: 0, failures: 0 };
  return {
    async schema(id) {
      try {
        const { schemaType, schema } = registry.schema(id);
        return { id, schemaType, schema, subjects: registry.uses(id).map(({ subject }) => subject) };
      } catch (error) {
        if (error instanceof GridfoldError && error.code === 'schema_not_found') return null;
        throw error;
      }
    },
    register: async (subject, text) => registry.register(subject, text),
    status: () => status,
  };
}
