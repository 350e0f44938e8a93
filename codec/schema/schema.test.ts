import { readFileSync } from 'node:fs';
import avro from 'avsc';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { kinds } from '../../actors/device/index.ts';
import { camelCase, declare, INVALID, OTHER, snakeCase, typeName } from './declaration.ts';
import { FIRST_FIELD_ID } from './fbs.ts';
import { BINARY_FORMATS, printSchema, SUBJECTS, schemaText } from './files.ts';
import { checkNumbers, NUMBERS, type Numbers, withNewNames } from './numbers.ts';

const FIRST = JSON.parse(readFileSync(new URL('../golden/v1/numbers.json', import.meta.url), 'utf8')) as Numbers;
const declaration = declare(kinds, NUMBERS);

describe('numbers', () => {
  it('are those of version 1, and every name of the field lists has one (node scripts/schemas.ts gives them)', () => {
    checkNumbers(FIRST, NUMBERS);
    expect(withNewNames(NUMBERS, kinds)).toEqual(NUMBERS);
  });

  it('that change, go or are given twice are found', () => {
    const { soc, ...rest } = NUMBERS.fields.powerwall;
    const fields = (powerwall: Record<string, number>) => ({
      ...NUMBERS,
      fields: { ...NUMBERS.fields, powerwall },
    });
    expect(() => checkNumbers(NUMBERS, fields({ ...rest, soc: 99 }))).toThrow('"soc" had number');
    expect(() => checkNumbers(NUMBERS, fields(rest))).toThrow('has none');
    expect(() => checkNumbers(NUMBERS, fields({ soc, ...rest, fresh: soc }))).toThrow('stands for two names');
    expect(() => checkNumbers(NUMBERS, fields({ soc, ...rest, fresh: 99 }))).not.toThrow();
  });

  it('of names that are gone stay taken', () => {
    const [powerwall, ...others] = kinds;
    const fewer = [{ name: powerwall.name, fields: powerwall.fields.filter(({ name }) => name !== 'soc') }, ...others];
    expect(withNewNames(NUMBERS, fewer)).toEqual(NUMBERS);
    const gone = declare(fewer, NUMBERS);
    const number = NUMBERS.fields.powerwall.soc;
    expect(printSchema('telemetry', 'protobuf', gone)).toContain(`reserved ${number};\n  reserved "soc";`);
    expect(printSchema('telemetry', 'flatbuffers', gone)).toContain(`soc: ubyte (id: ${number + 1}, deprecated);`);
  });
});

describe('schemas', () => {
  it.each(SUBJECTS.flatMap((subject) => BINARY_FORMATS.map((format) => [subject, format] as const)))(
    'of %s in %s are as the field lists say (node scripts/schemas.ts writes them)',
    (subject, format) => {
      expect(schemaText(subject, format)).toBe(printSchema(subject, format, declaration));
    },
  );

  it('in Protobuf are what protobufjs reads, the record first', () => {
    const { root } = protobuf.parse(schemaText('telemetry', 'protobuf'));
    root.resolveAll();
    const types = root.lookup('gridfold.telemetry.v1') as protobuf.Namespace;
    expect(types.nestedArray[0].name).toBe('Telemetry');
    for (const { name, number, fields } of declaration.kinds) {
      expect(root.lookupType('Telemetry').fields[name].id).toBe(number);
      const type = root.lookupType(typeName(name));
      expect(type.fields.invalid.id).toBe(INVALID);
      expect(type.fields.other.id).toBe(OTHER);
      for (const field of fields) expect(type.fields[camelCase(snakeCase(field.name))].id).toBe(field.number);
    }
    const { root: lifecycle } = protobuf.parse(schemaText('lifecycle', 'protobuf'));
    lifecycle.resolveAll();
    for (const { name, number } of declaration.lifecycle)
      expect(lifecycle.lookupType('Data').fields[name].id).toBe(number);
  });

  it('in Avro are what avsc reads, with the same names', () => {
    const type = avro.Type.forSchema(JSON.parse(schemaText('telemetry', 'avro'))) as avro.types.RecordType;
    const union = type.field('fields')?.type as unknown as { types: avro.types.RecordType[] };
    expect(union.types.map((record) => record.fields.map(({ name }) => name))).toEqual(
      declaration.kinds.map(({ fields }) => [...fields.map(({ name }) => name), 'invalid', 'other']),
    );
    expect(() => avro.Type.forSchema(JSON.parse(schemaText('lifecycle', 'avro')))).not.toThrow();
  });

  it('in FlatBuffers have ids without holes', () => {
    for (const subject of SUBJECTS) {
      const tables = [...schemaText(subject, 'flatbuffers').matchAll(/^table (\w+) \{\n([^}]*)\}/gm)];
      const numbered = tables.filter(([, , body]) => body.includes('(id: 0)'));
      expect(numbered.length).toBeGreaterThan(0);
      for (const [, name, body] of numbered) {
        if (name === 'Telemetry') continue; // a union takes two ids
        const ids = [...body.matchAll(/\(id: (\d+)/g)].map((match) => Number(match[1]));
        expect(ids, name).toEqual(ids.map((_, i) => i));
      }
    }
    for (const { name, fields } of declaration.kinds) {
      expect(fields.map(({ number }) => number + FIRST_FIELD_ID)).toEqual(fields.map((_, i) => i + 2));
      expect(name).toMatch(/^[a-z]+$/);
    }
  });
});
