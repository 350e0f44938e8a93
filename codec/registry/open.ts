import { join } from 'node:path';
import type { Clock } from '../../runtime/kernel/clock.ts';
import type { DecodedKind } from '../plan.ts';
import { cacheFile, SchemaCache } from './cache.ts';
import { RegistryClient } from './client.ts';
import type { RegistryAuth } from './endpoint.ts';
import { openRegistry } from './file.ts';
import { RegistrySchemas } from './input-schemas.ts';
import { ownSchemas, registerOwn } from './own.ts';
import type { SchemaRegistry } from './registry.ts';
import { localSource, type SchemaSource } from './source.ts';
import { RegistryTable, type RegistryTableStatus } from './table.ts';

export interface SchemaOptions {
  /** Holds the small registry and the cache of another one. */
  readonly dataDir: string;
  /** Prefix of the topics. */
  readonly prefix: string;
  /** Another registry; null: the small one of this process alone. */
  readonly access: { readonly urls: readonly string[]; readonly auth?: RegistryAuth } | null;
  /** Kinds whose schemas are registered in the small registry. */
  readonly kinds: readonly DecodedKind[];
  readonly clock: Clock;
  readonly onMessage: (level: 'info' | 'warn', message: string) => void;
}

export interface OpenSchemas {
  /** The small registry, to be served under `/registry`. */
  readonly registry: SchemaRegistry;
  /** What the shards ask. */
  readonly schemas: RegistrySchemas;
  /** For health and metrics. */
  status(): RegistryTableStatus;
  /** Ends what waits for a registry. */
  close(): void;
}

/**
 * Opens what this process knows schemas by. The small registry gets the schemas of this version; another registry is left
 * as it is, and asked once, in the background, so that a wrong address or password shows at the start. Throws
 * `registry_file_corrupt` (stop), `registry_bad_option` (fix-configuration).
 */
export async function openSchemas(options: SchemaOptions): Promise<OpenSchemas> {
  const { dataDir, prefix, access, kinds, clock, onMessage } = options;
  const registry = openRegistry(join(dataDir, 'registry.json'));
  const own = localSource(registry);
  for (const { record, schemaType, fault } of await registerOwn(own, prefix, ownSchemas(kinds))) {
    if (fault !== null) onMessage('warn', `the ${schemaType} schema of ${record} records is not registered: ${fault}`);
  }
  let source: SchemaSource = own;
  let cache = new SchemaCache(null);
  if (access !== null) {
    const client = new RegistryClient({ ...access, clock });
    client.subjects().catch((error: Error) => onMessage('warn', error.message));
    source = client;
    cache = new SchemaCache(cacheFile(dataDir, client.urls), {
      onFault: (error) => onMessage('warn', `schemas are kept in memory alone: ${error.message}`),
    });
  }
  const table = new RegistryTable({ source, cache, prefix, clock, onMessage });
  return {
    registry,
    schemas: new RegistrySchemas(table),
    status: () => table.status(),
    close: () => table.close(),
  };
}
