/** How a client shows who it is. */
export interface SaslLogin {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  /** Null: it stands in a file. */
  readonly password: string | null;
}

/**
 * Reads `mechanism:user:password`; the password may hold colons. With `isPasswordInFile` it must not stand here.
 * Answers the reason when that is not what the text is; no part of the text is in it.
 */
export function readSasl(text: string, isPasswordInFile: boolean): SaslLogin | { readonly problem: string } {
  const [, word, username, password] = /^([^:]*):([^:]+)(?::([\s\S]+))?$/.exec(text) ?? [];
  if (word === undefined || username === undefined) return { problem: 'must be mechanism:user:password' };
  const mechanism = mechanismOf(word);
  if (mechanism === null) {
    return { problem: 'must begin with plain:, scram-sha-256: or scram-sha-512:; other mechanisms are not known' };
  }
  if (isPasswordInFile) {
    return password === undefined
      ? { mechanism, username, password: null }
      : { problem: 'holds a password, and kafka.saslPasswordFile names another one; keep one of them' };
  }
  if (password !== undefined) return { mechanism, username, password };
  return { problem: 'has no password; add :password, or set kafka.saslPasswordFile' };
}

function mechanismOf(word: string): SaslLogin['mechanism'] | null {
  const lower = word.toLowerCase();
  return lower === 'plain' || lower === 'scram-sha-256' || lower === 'scram-sha-512' ? lower : null;
}
