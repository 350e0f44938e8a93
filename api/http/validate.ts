import { Ajv, type ValidateFunction } from 'ajv';

const formats = {
  'date-time': (value: string) => !Number.isNaN(Date.parse(value)) && /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(value),
};
const common = { allErrors: false, removeAdditional: false, strict: false, useDefaults: true, formats } as const;
/** Parameters arrive as text and are turned into what the schema wants; bodies and frames are taken as they are. */
const coercing = new Ajv({ ...common, coerceTypes: true });
const exact = new Ajv(common);

/** Compiles a schema for one part of an HTTP request. */
export function compileRequest(schema: object, part: string | undefined): ValidateFunction {
  return part === 'body' ? exact.compile(schema) : coercing.compile(schema);
}

/** Compiles a schema for values that must match exactly: live frames. */
export function compileExact<T>(schema: object): ValidateFunction<T> {
  return exact.compile<T>(schema);
}
