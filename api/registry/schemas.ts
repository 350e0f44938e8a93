import { LEVELS } from '../../codec/registry/compatibility.ts';
import { MAX_SCHEMA_CHARS, SCHEMA_TYPES } from '../../codec/registry/schema-type.ts';
import { count, json, list, object, text } from '../http/schema-parts.ts';

const tags = ['schema registry'];
const fault = object({ error_code: count, message: text });
const schemaType = { enum: [...SCHEMA_TYPES] };
const level = { enum: [...LEVELS] };

const answers = (description: string, schema: object) => ({
  200: json(description, schema),
  401: json('The token is missing or wrong', fault),
  404: json('There is no such subject, version or schema', fault),
  422: json('The request or the schema is not valid', fault),
});

const parameters = {
  subject: { subject: { type: 'string', minLength: 1, maxLength: 255 } },
  version: { version: { type: 'string', pattern: '^(latest|-1|[1-9][0-9]{0,8})$' } },
  id: { id: { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 } },
};

const body = {
  type: 'object',
  required: ['schema'],
  properties: {
    schema: { type: 'string', minLength: 1, maxLength: MAX_SCHEMA_CHARS },
    schemaType: { enum: [...SCHEMA_TYPES, null], description: 'AVRO where it is absent.' },
    references: { type: 'array', maxItems: 0, description: 'A schema stands alone here.' },
  },
};

const subjectVersion = object({ subject: text, version: count, id: count, schemaType, schema: text }, ['schemaType']);

/** How the routes of the registry are described. */
export const registrySchemas = {
  root: { tags, summary: 'The registry answers', response: answers('It does', object({})) },
  types: { tags, summary: 'Types of schemas', response: answers('The types', list(schemaType)) },
  subjects: { tags, summary: 'All subjects', response: answers('Their names', list(text)) },
  schema: {
    tags,
    summary: 'A schema by its id',
    params: object(parameters.id),
    response: answers('The schema', object({ schema: text, schemaType }, ['schemaType'])),
  },
  schemaText: {
    tags,
    summary: 'The text of a schema by its id',
    params: object(parameters.id),
    response: answers('The text', {}),
  },
  uses: {
    tags,
    summary: 'Where a schema is used',
    params: object(parameters.id),
    response: answers('Subjects and versions', list(object({ subject: text, version: count }))),
  },
  versions: {
    tags,
    summary: 'Versions of a subject',
    params: object(parameters.subject),
    response: answers('Their numbers', list(count)),
  },
  version: {
    tags,
    summary: 'A version of a subject; `latest` is the newest',
    params: object({ ...parameters.subject, ...parameters.version }),
    response: answers('The version', subjectVersion),
  },
  find: {
    tags,
    summary: 'The version of a subject that has this schema',
    params: object(parameters.subject),
    body,
    response: answers('The version', subjectVersion),
  },
  register: {
    tags,
    summary: 'Makes a schema the newest version of a subject, unless it is one already',
    params: object(parameters.subject),
    body,
    response: {
      ...answers('The id of the schema', object({ id: count })),
      409: json('The schema may not follow the versions that there are', fault),
    },
  },
  compatibility: {
    tags,
    summary: 'Whether a schema may follow a version',
    params: object({ ...parameters.subject, ...parameters.version }),
    body,
    response: answers('The verdict', object({ is_compatible: { type: 'boolean' }, messages: list(text) })),
  },
  compatibilityWithAll: {
    tags,
    summary: 'Whether a schema may become the newest version',
    params: object(parameters.subject),
    body,
    response: answers('The verdict', object({ is_compatible: { type: 'boolean' }, messages: list(text) })),
  },
  level: {
    tags,
    summary: 'The rule that new versions must keep',
    response: answers('The rule', object({ compatibilityLevel: level })),
  },
  subjectLevel: {
    tags,
    summary: 'The rule that new versions of a subject must keep',
    params: object(parameters.subject),
    response: answers('The rule', object({ compatibilityLevel: level })),
  },
  setLevel: {
    tags,
    summary: 'Sets the rule',
    body: object({ compatibility: text }),
    response: answers('The rule', object({ compatibility: level })),
  },
  setSubjectLevel: {
    tags,
    summary: 'Sets the rule of a subject',
    params: object(parameters.subject),
    body: object({ compatibility: text }),
    response: answers('The rule', object({ compatibility: level })),
  },
} as const;
