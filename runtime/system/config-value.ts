import type { Option } from './option.ts';

/** A value that an option cannot have. The message goes to the user after the option's name. */
export class BadValue extends Error {}

/**
 * Turns what a source says into the option's value. Texts, as flags and environment give them, are read as the type
 * that is wanted; YAML and JSON must have it already. Throws {@link BadValue}.
 */
export function readValue(option: Option, raw: unknown, kinds: readonly string[]): unknown {
  switch (option.type) {
    case 'text':
      return checked(text(raw), option);
    case 'integer':
      return integer(raw, option.min, option.max);
    case 'flag':
      return flag(raw);
    case 'word':
      if (!option.words.includes(String(raw))) throw new BadValue(`must be one of ${option.words.join(', ')}`);
      return raw;
    case 'per-kind-integer':
      return perKind(raw, kinds, (value) =>
        checked(integer(value, option.min ?? 0, option.max ?? 2 ** 53 - 1), option),
      );
    case 'per-kind-text':
      return perKind(raw, kinds, (value) => checked(text(value), option));
  }
}

function checked<V>(value: V, option: { readonly refuse?: (value: V) => string | null }): V {
  const reason = option.refuse?.(value) ?? null;
  if (reason !== null) throw new BadValue(reason);
  return value;
}

function text(raw: unknown): string {
  if (Array.isArray(raw) && raw.every((part) => typeof part === 'string')) return raw.join(',');
  if (typeof raw !== 'string' || raw === '') throw new BadValue('must be a text that is not empty');
  if (raw.includes('\0')) throw new BadValue('must not contain a zero byte');
  return raw;
}

function integer(raw: unknown, min: number, max: number): number {
  const value = typeof raw === 'string' && /^-?\d[\d_]*$/.test(raw) ? Number(raw.replaceAll('_', '')) : raw;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new BadValue(`must be a whole number from ${min} to ${max}`);
  }
  return value;
}

function flag(raw: unknown): boolean {
  if (typeof raw === 'boolean') return raw;
  const word = String(raw).toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  throw new BadValue('must be true or false');
}

/** `{powerwall: 300}`, or `powerwall=300,inverter=600` where only a text can stand. */
function perKind<V>(raw: unknown, kinds: readonly string[], read: (value: unknown) => V): Record<string, V> {
  const entries =
    typeof raw === 'string' ? pairs(raw) : raw !== null && typeof raw === 'object' ? Object.entries(raw) : null;
  if (entries === null || Array.isArray(raw))
    throw new BadValue('must be a value per kind, such as powerwall=300,inverter=600');
  const result: Record<string, V> = {};
  for (const [kind, value] of entries) {
    if (!kinds.includes(kind)) throw new BadValue(`"${kind}" is not a kind; known: ${kinds.join(', ')}`);
    try {
      result[kind] = read(value);
    } catch (error) {
      throw error instanceof BadValue ? new BadValue(`for ${kind} ${error.message}`) : error;
    }
  }
  return result;
}

function pairs(text: string): [string, string][] {
  return text.split(',').map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, Math.max(at, 0)).trim(), part.slice(at + 1).trim()];
  });
}
