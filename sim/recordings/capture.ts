import { readFile, stat } from 'node:fs/promises';
import { parseTimestamp } from '../time.ts';
import type { FieldValue } from '../record.ts';
import { badOption, malformed, unreadable } from './contract.ts';

const MAX_CAPTURE_BYTES = 16 * 1024 * 1024;
/** Older times are placeholders such as 0001-01-01T00:00:00Z. */
const OLDEST_TIME_MS = Date.UTC(2010, 0, 1);

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** What one asset says in one capture. */
export interface CapturedAsset {
  readonly kind: 'powerwall' | 'inverter';
  /** As the file names it, not yet distinct; null for the home as a whole. */
  readonly serial: string | null;
  readonly model: string;
  readonly ratedW?: number;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

/** One kind of answer of the local API: how to recognise it, and what it says about which assets. */
export interface CaptureType {
  readonly name: string;
  matches(capture: JsonObject): boolean;
  assets(capture: JsonObject): CapturedAsset[];
  /** Serial of the home's gateway, where the answer names it. */
  gateway?(capture: JsonObject): string | undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
}

export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Serial part of a DIN (`part--serial`); of a text without `--` the whole. */
export function serialOfDin(din: string): string {
  const at = din.indexOf('--');
  return at === -1 ? din : din.slice(at + 2);
}

/** Fields by name where the API tells them; what it tells (null and "" too) is passed on as it is. */
export function pickFields(from: JsonObject, names: Readonly<Record<string, string>>): Record<string, FieldValue> {
  const fields: Record<string, FieldValue> = {};
  for (const [field, name] of Object.entries(names)) {
    const value = from[name];
    if (value !== undefined && !isObject(value)) fields[field] = Object.is(value, -0) ? 0 : (value as FieldValue);
  }
  return fields;
}

export async function readCapture(file: string): Promise<JsonObject> {
  const content = await readBounded(file);
  let value: Json;
  try {
    value = JSON.parse(content.replace(/^\uFEFF/, '')) as Json;
  } catch (error) {
    throw malformed(file, lineOfParseError(content, error), `not JSON (${(error as Error).message})`);
  }
  if (!isObject(value)) throw malformed(file, 1, 'not a JSON object, so no answer of the local Powerwall API');
  return value;
}

async function readBounded(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_CAPTURE_BYTES) throw malformed(file, 1, `${size} bytes is too much for one answer of the API`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('E') !== true) throw error;
    throw unreadable(file, error);
  }
}

function lineOfParseError(content: string, error: unknown): number {
  const position = /position (\d+)/.exec((error as Error).message)?.[1];
  const end = position === undefined ? content.length : Number(position);
  return content.slice(0, end).split('\n').length;
}

/**
 * When a capture was made, epoch milliseconds: what the caller says; else the newest time of communication in it; else
 * the newest other time in it (checks, faults, toggles); else when the file was written.
 */
export async function captureTime(file: string, capture: JsonObject, at: string | number | undefined): Promise<number> {
  if (at !== undefined) return timeOption(at);
  const newest = newestTimes(capture);
  return newest.communication ?? newest.other ?? Math.floor((await stat(file)).mtimeMs);
}

function timeOption(at: string | number): number {
  if (typeof at === 'number' && Number.isFinite(at)) return at;
  if (/^\d{9,}$/.test(String(at))) return Number(at);
  const parsed = parseTimestamp(String(at));
  if (parsed?.hasOffset) return parsed.ms;
  throw badOption(
    'at',
    `"${at}" is neither a time with offset such as 2022-02-26T15:38:51-08:00 nor epoch milliseconds`,
  );
}

interface NewestTimes {
  communication?: number;
  other?: number;
}

function newestTimes(capture: JsonObject): NewestTimes {
  const newest: NewestTimes = {};
  const visit = (name: string, value: Json | undefined): void => {
    if (Array.isArray(value)) for (const item of value as readonly Json[]) visit(name, item);
    else if (isObject(value)) for (const [key, inner] of Object.entries(value)) visit(key, inner);
    else {
      const key = /^last_?communication_?time$/i.test(name)
        ? 'communication'
        : /time(stamp)?$/i.test(name)
          ? 'other'
          : null;
      const ms = key === null ? null : timeOf(value);
      if (key !== null && ms !== null) newest[key] = Math.max(newest[key] ?? ms, ms);
    }
  };
  visit('', capture);
  return newest;
}

/** A time as text, epoch seconds or epoch milliseconds; null for anything else, placeholders included. */
function timeOf(value: Json | undefined): number | null {
  let ms: number | null = null;
  if (typeof value === 'string') {
    const parsed = parseTimestamp(value);
    ms = parsed?.hasOffset ? parsed.ms : null;
  } else if (typeof value === 'number') {
    ms = value < 1e11 ? value * 1000 : value;
  }
  return ms !== null && ms >= OLDEST_TIME_MS && ms < 4e12 ? Math.floor(ms) : null;
}
