import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Problem } from './problem.ts';

/** Who may ask for what; see docs/operate.md, "Security". */
export interface GuardConfig {
  /** Address the server listens on. */
  readonly host: string;
  /** URL under which the other processes of the group know this one; its name is no foreign one. */
  readonly advertised?: () => string;
  /** When set, every `/v1` and `/metrics` request needs it as bearer token. */
  readonly authToken?: string;
  /** A second token, for programs of the same user that read it from the data folder. */
  readonly localToken?: string;
}

export interface Guard {
  /** Refuses what a page of another site sent, or what reached us under a foreign name (DNS rebinding). */
  checkOrigin(request: IncomingMessage): void;
  /** Refuses a request without the token where one is set. */
  checkToken(authorization: string | undefined): void;
  /** As {@link checkToken}; on an address that others can reach, a token is always needed. */
  checkPrivileged(authorization: string | undefined): void;
  /** True when `token` opens the live door. */
  accepts(token: string | undefined): boolean;
}

const loopback = new Set(['127.0.0.1', 'localhost', '::1']);

export function createGuard(config: GuardConfig): Guard {
  const digests = [config.authToken, config.localToken].filter((token) => token !== undefined).map(digest);
  const isLoopback = loopback.has(config.host);
  const names = () => [config.host.toLowerCase(), nameOf(config.advertised?.())];
  const known = (token: string) => {
    const given = digest(token);
    // Every digest is compared, so that the time says nothing about which one came close.
    return digests.map((one) => timingSafeEqual(one, given)).includes(true);
  };
  const bearer = (header: string | undefined) => /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header ?? '')?.[1];
  const isAuthenticated = (header: string | undefined) => {
    const token = bearer(header);
    return token !== undefined && known(token);
  };
  const refuse = () => new Problem(401, 'not_authenticated', 'This needs the header Authorization: Bearer TOKEN.');

  return {
    checkOrigin(request) {
      const host = hostName(request.headers.host);
      if (config.authToken === undefined && !isExpectedHost(host, names(), isLoopback)) {
        throw new Problem(403, 'foreign_host', 'The Host header names another server.');
      }
      const origin = request.headers.origin;
      if (origin !== undefined && !isSameOrigin(origin, request.headers.host)) {
        throw new Problem(403, 'cross_origin', 'Requests from pages of other origins are refused.');
      }
      const site = request.headers['sec-fetch-site'];
      const isRead = request.method === 'GET' && request.headers.upgrade === undefined;
      if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isRead) {
        throw new Problem(403, 'cross_origin', 'Requests from pages of other origins are refused.');
      }
    },
    checkToken(header) {
      if (config.authToken !== undefined && !isAuthenticated(header)) throw refuse();
    },
    checkPrivileged(header) {
      if ((config.authToken !== undefined || !isLoopback) && !isAuthenticated(header)) throw refuse();
    },
    accepts: (token) => config.authToken === undefined || (token !== undefined && known(token)),
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Without the port, lower case, IPv6 without brackets; undefined when there is none. */
function hostName(header: string | undefined): string | undefined {
  const found = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/i.exec(header ?? '');
  return (found?.[1] ?? found?.[2])?.toLowerCase();
}

function nameOf(url: string | undefined): string {
  const found = URL.parse(url ?? '')?.hostname ?? '';
  return found.replaceAll(/[[\]]/g, '').toLowerCase();
}

/** Rebinding needs a name that an attacker controls: addresses, and the names of this machine, are fine. */
function isExpectedHost(host: string | undefined, own: readonly string[], isLoopback: boolean): boolean {
  if (host === undefined) return false;
  if (loopback.has(host) || own.includes(host)) return true;
  return !isLoopback && isIP(host) !== 0;
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  try {
    const url = new URL(origin);
    return (
      /^https?:$/.test(url.protocol) && host !== undefined && url.host === new URL(`${url.protocol}//${host}`).host
    );
  } catch {
    return false;
  }
}
