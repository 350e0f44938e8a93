import { listOf } from './addresses.ts';

/** How a schema registry is asked. */
export interface RegistryAccess {
  /** Addresses of one registry. */
  readonly urls: readonly string[];
  readonly auth?: { readonly username: string; readonly password: string } | { readonly token: string };
}

/** The options that say so. */
interface RegistryConfig {
  readonly 'schemaRegistry.url': string | null;
  readonly 'schemaRegistry.auth': string | null;
}

const BEARER = /^bearer +(\S+)$/i;
const BASIC = /^([^:]+):([\s\S]+)$/;

/** The schema registry of the configuration, or null where none is named. */
export function registryAccess(config: RegistryConfig): RegistryAccess | null {
  if (config['schemaRegistry.url'] === null) return null;
  const urls = listOf(config['schemaRegistry.url']);
  const text = config['schemaRegistry.auth'] ?? '';
  const token = BEARER.exec(text)?.[1];
  if (token !== undefined) return { urls, auth: { token } };
  const [, username, password] = BASIC.exec(text) ?? [];
  return username === undefined ? { urls } : { urls, auth: { username, password } };
}

/** Reason why a text says no login, or null; no part of the text is in it. */
export function refuseRegistryAuth(text: string): string | null {
  return BEARER.test(text) || BASIC.test(text) ? null : 'must be user:password, or bearer and a token';
}
