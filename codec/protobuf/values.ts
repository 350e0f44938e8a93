import { severityNumbered } from '../alerts.ts';
import type { JsonObject } from '../document.ts';
import { SAMPLE_MULTIPLIER, SAMPLE_TEXTS, withUnitOfMeasure } from '../samples.ts';
import { bare } from '../wire-document.ts';
import { LEN, type ProtoCursor, VARINT } from './cursor.ts';

/** The messages of lists as the arrays that JSON would have. */

/** `Texts`. */
export function readTexts(message: ProtoCursor): string[] {
  const items: string[] = [];
  while (message.next()) {
    if (message.number === 1 && message.wire === LEN) items.push(message.text());
    else message.skip();
  }
  return items;
}

function readItems(message: ProtoCursor, read: (item: ProtoCursor) => JsonObject): JsonObject[] {
  const items: JsonObject[] = [];
  while (message.next()) {
    if (message.number === 1 && message.wire === LEN) items.push(read(message.message()));
    else message.skip();
  }
  return items;
}

/** `Alerts`. */
export const readAlerts = (message: ProtoCursor): JsonObject[] => readItems(message, readAlert);

function readAlert(message: ProtoCursor): JsonObject {
  const alert = bare();
  alert.name = '';
  while (message.next()) {
    const { number, wire } = message;
    if (number === 1 && wire === LEN) alert.name = message.text();
    else if (number === 2 && wire === VARINT) alert.severity = severityNumbered(message.varint());
    else if (number === 3 && wire === VARINT) alert.startedAt = message.varint();
    else if (number === 4 && wire === VARINT) alert.endedAt = message.varint();
    else message.skip();
  }
  return alert;
}

/** `SampledValues`. */
export const readSamples = (message: ProtoCursor): JsonObject[] => readItems(message, readSample);

function readSample(message: ProtoCursor): JsonObject {
  const sample = bare();
  while (message.next()) {
    const { number, wire } = message;
    const name = SAMPLE_TEXTS[number - 1];
    if (name !== undefined && wire === LEN) sample[name] = message.text();
    else if (number === SAMPLE_MULTIPLIER && wire === VARINT) sample.multiplier = unzigzag(message.varint());
    else message.skip();
  }
  return withUnitOfMeasure(sample);
}

const unzigzag = (n: number) => (n % 2 === 0 ? n / 2 : -(n + 1) / 2);

/** An entry of `map<string, string>`, given to `put`. */
export function readEntry(message: ProtoCursor, put: (name: string, text: string) => void): void {
  let name = '';
  let text = '';
  while (message.next()) {
    if (message.number === 1 && message.wire === LEN) name = message.text();
    else if (message.number === 2 && message.wire === LEN) text = message.text();
    else message.skip();
  }
  put(name, text);
}
