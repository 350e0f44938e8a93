import { GridfoldError } from '../../runtime/kernel/errors.ts';

/** How the registry knows us. */
export type RegistryAuth = { readonly username: string; readonly password: string } | { readonly token: string };

export interface Endpoint {
  /** Without user, password, query and last slash. */
  readonly url: string;
  /** Value of the header; undefined where none is needed. */
  readonly authorization: string | undefined;
}

const MAX_URLS = 16;

/** Checks the addresses; a user and password in an address are taken out of it. Throws `registry_bad_option`. */
export function readEndpoints(urls: readonly string[], auth: RegistryAuth | undefined): Endpoint[] {
  if (urls.length === 0 || urls.length > MAX_URLS) throw badOption(`there must be 1 to ${MAX_URLS} addresses`);
  return urls.map((text, i) => {
    let url: URL;
    let own: RegistryAuth | undefined;
    try {
      url = new URL(text);
      if (url.username !== '')
        own = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
    } catch {
      // The text is not repeated: it may hold a password.
      throw badOption(`address ${i + 1} is no URL`);
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw badOption(`address ${i + 1} begins with ${url.protocol}, not http: or https:`);
    if (url.search !== '' || url.hash !== '') throw badOption(`address ${i + 1} has a query or fragment`);
    return { url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, authorization: headerOf(auth ?? own) };
  });
}

function headerOf(auth: RegistryAuth | undefined): string | undefined {
  if (auth === undefined) return undefined;
  if ('token' in auth) {
    if (!/^[\x21-\x7e]+$/.test(auth.token)) throw badOption('the token has characters that no header may have');
    return `Bearer ${auth.token}`;
  }
  if (auth.username.includes(':')) throw badOption('a user name must not have a colon');
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
}

const badOption = (detail: string) =>
  new GridfoldError('registry_bad_option', 'fix-configuration', `schema registry: ${detail}`);
