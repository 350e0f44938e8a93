import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kinds } from '../actors/device/index.ts';
import { TelemetryEncoder } from './encode.ts';
import type { TelemetryDocument } from './encode-parts.ts';
import type { DecodedKind } from './plan.ts';
import { declare } from './schema/declaration.ts';
import { BINARY_FORMATS, type BinaryFormat, printSchema, type Subject, schemaFile } from './schema/files.ts';
import { checkNumbers, NUMBERS, type Numbers } from './schema/numbers.ts';
import { sampleRecord } from './testing/samples.ts';
import { told } from './testing/told.ts';
import { type ResolvedSchema, type SchemaTable, withHeader } from './wire.ts';
import { WireDecoder } from './wire-decoder.ts';
import { WireLifecycleDecoder } from './wire-lifecycle.ts';

const golden = new URL('golden/', import.meta.url);
const versions = readdirSync(golden);
const read = (version: string, name: string) => readFileSync(new URL(`${version}/${name}`, golden));
const parsed = (version: string, name: string) => JSON.parse(read(version, name).toString());

const schema = (subject: Subject, format: BinaryFormat, text: string): ResolvedSchema => ({
  id: 77,
  format,
  subject,
  text,
});
const tableOf = (one: ResolvedSchema): SchemaTable => ({ get: (id) => (id === one.id ? one : 'unknown') });

/** The kinds as a later version may have them: more fields, more words. */
const later: readonly DecodedKind[] = kinds.map(({ name, fields }) => ({
  name,
  fields: [
    ...fields.map((spec) =>
      spec.type === 'enum' ? { ...spec, words: [...(spec.words ?? []), 'AddedLater'], codes: undefined } : spec,
    ),
    { name: 'addedNumber', type: 'number', doc: 'Added' } as const,
    { name: 'addedFlag', type: 'bool', doc: 'Added' } as const,
    { name: 'addedWord', type: 'enum', doc: 'Added', words: ['One', 'Two'] } as const,
    { name: 'addedText', type: 'text', doc: 'Added' } as const,
  ].slice(0, 31),
}));
/** And without fields that nobody sends any more. */
const fewer: readonly DecodedKind[] = kinds.map(({ name, fields }) => ({
  name,
  fields: fields.filter((spec) => !['tempC', 'firmware', 'status', 'mode', 'offline', 'stormMode'].includes(spec.name)),
}));

describe.each(versions)('bytes of %s', (version) => {
  const subjects = BINARY_FORMATS.flatMap((format) => kinds.map(({ name }) => [format, name] as const));

  it.each(subjects)('in %s say of a %s what they said', (format, kind) => {
    const { timestamp, expected } = parsed(version, `telemetry-${kind}.json`);
    const written = schema('telemetry', format, read(version, schemaFile('telemetry', format)).toString());
    const bytes = withHeader(written, read(version, `telemetry-${kind}.${format}`));
    for (const readers of [kinds, later])
      expect(told(new WireDecoder(readers, { schemas: tableOf(written) }), readers, bytes, timestamp)).toEqual(
        expected,
      );
  });

  it.each(BINARY_FORMATS)('of a lifecycle record in %s say what they said', (format) => {
    const { timestamp, expected } = parsed(version, 'lifecycle.json');
    const written = schema('lifecycle', format, read(version, schemaFile('lifecycle', format)).toString());
    const bytes = withHeader(written, read(version, `lifecycle.${format}`));
    const decoder = new WireLifecycleDecoder(undefined, tableOf(written));
    expect(decoder.decode(bytes, 0, bytes.length, timestamp)).toEqual(expected);
  });

  it('have numbers that still hold', () => {
    checkNumbers(parsed(version, 'numbers.json') as Numbers, NUMBERS);
  });
});

describe.each(BINARY_FORMATS)('between versions, %s', (format) => {
  /** What readers of the kinds `readers` make of a record written with `writers`; and what they make of its JSON. */
  function both(record: TelemetryDocument, writers: readonly DecodedKind[], readers: readonly DecodedKind[]) {
    const written = schema('telemetry', format, printSchema('telemetry', format, declare(writers, NUMBERS)));
    const bytes = withHeader(written, new TelemetryEncoder(writers).encode(record, format));
    const decoder = new WireDecoder(readers, { schemas: tableOf(written) });
    const now = 1657270801000;
    return [
      told(decoder, readers, bytes, now),
      told(new WireDecoder(readers), readers, Buffer.from(JSON.stringify(record)), now),
    ];
  }

  it.each(later.map((kind) => [kind.name, kind] as const))('an old reader keeps what is new in a %s', (_, kind) => {
    const { alerts, ...fields } = sampleRecord(kind).fields;
    const [got, expected] = both({ ...sampleRecord(kind), fields }, later, kinds);
    expect(got).toEqual(expected);
    const word = kind.fields.find(({ type }) => type === 'enum')?.name ?? '';
    expect(got).toMatchObject({
      fields: { [word]: 'invalid' },
      extra: {
        [word]: 'AddedLater',
        addedFlag: expect.any(String),
        addedWord: '"Two"',
        addedNumber: expect.any(String),
      },
    });
  });

  it.each(kinds.map((kind) => [kind.name, kind] as const))('a new reader keeps what is gone from a %s', (_, kind) => {
    const [got, expected] = both(sampleRecord(kind), kinds, fewer);
    expect(got).toEqual(expected);
  });

  it('a new kind is unknown to an old reader', () => {
    const toaster = { name: 'toaster', fields: [{ name: 'powerW', type: 'number', doc: 'Power' } as const] };
    const record = { serial: 'T-1', kind: 'toaster', deviceTime: 1657270799123, fields: { powerW: 1 } };
    expect(both(record, [...kinds, toaster], kinds)).toEqual([{ reason: 'unknown_kind' }, { reason: 'unknown_kind' }]);
  });
});
