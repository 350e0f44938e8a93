/** Parts that JSON schemas of the HTTP door are made of. */

export const text = { type: 'string' } as const;
export const count = { type: 'integer', minimum: 0 } as const;
export const number = { type: 'number' } as const;
export const orNull = (type: string, more: object = {}) => ({ type: [type, 'null'], ...more });
export const time = { type: 'string', format: 'date-time' } as const;
export const timeOrNull = orNull('string', { format: 'date-time' });

export function object<P extends Record<string, object>>(properties: P, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', required, properties, additionalProperties: false } as const;
}
/** For answers that are put together from several processes. */
export const incomplete = {
  type: 'array',
  items: text,
  minItems: 1,
  description:
    'What the answer lacks: URLs of processes that could not be asked, and `partition N` for those that move; absent ' +
    'where nothing is lacking',
} as const;
export const list = (items: object) => ({ type: 'array', items }) as const;
export const map = (additionalProperties: object) => ({ type: 'object', additionalProperties }) as const;

export const problemSchema = object(
  {
    type: text,
    title: text,
    status: count,
    code: { type: 'string', description: 'Stable; docs/operate.md lists all' },
    detail: text,
    instance: text,
    errors: list(object({ pointer: { type: 'string', description: 'JSON pointer to the fault' }, detail: text })),
  },
  ['errors'],
);

export const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
});
export const json = (description: string, schema: object) => ({
  description,
  content: { 'application/json': { schema } },
});

/** Problem answers that every route of the runtime can give. */
const problems = {
  400: problem('The request does not match its schema'),
  401: problem('The token is missing or wrong'),
  403: problem('Foreign host or origin'),
  503: problem('Not available now; Retry-After says when to ask again'),
};
export const answers = (description: string, schema: object, more: Record<number, object> = {}) => ({
  200: json(description, schema),
  ...problems,
  ...more,
});
