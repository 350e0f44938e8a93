import { answers, count, list, object, orNull, problem, text, timeOrNull } from './schema-parts.ts';

const set = object({
  name: text,
  input: { enum: ['log', 'files'] },
  from: timeOrNull,
  since: timeOrNull,
  begunAt: text,
  machines: list(text),
  status: { enum: ['folding', 'following', 'failed'] },
  folded: count,
  total: count,
  rows: count,
  shown: { type: 'boolean' },
  error: orNull('string'),
});
const difference = object({ table: text, common: count, onlyLive: count, onlyOther: count, changed: count });
const params = object({ name: { type: 'string', minLength: 1, maxLength: 64 } });
const refused = { 404: problem('No such set'), 409: problem('Not in the state that the set is in') };
const named = (summary: string, answer: object, what: string) => ({
  tags: ['operations'],
  summary,
  params,
  response: { ...answers(what, answer), ...refused },
});

/** JSON schemas of `/v1/reprocess`. */
export const reprocessSchemas = {
  list: {
    tags: ['operations'],
    summary: 'Reprocessed sets of this process',
    response: answers('Every set', object({ items: list(set) })),
  },
  begin: {
    tags: ['operations'],
    summary: 'Fold the history once more beside the live fold, or go on with that',
    body: object({
      name: { type: 'string', minLength: 1, maxLength: 64 },
      input: { enum: ['log', 'files'] },
      fromMs: { anyOf: [{ type: 'integer', minimum: 0, maximum: 8_640_000_000_000_000 }, { type: 'null' }] },
    }),
    response: { ...answers('The set', set), ...refused },
  },
  view: named('One reprocessed set', set, 'The set'),
  compare: named(
    'Wait until a set is folded, and compare its tables with the live ones',
    object({ tables: list(difference) }),
    'Facts in both, in one only, and in both but different, by table',
  ),
  cutOver: {
    ...named('Let queries read the tables of a set, or with back the live ones again', set, 'The set'),
    body: object({ back: { type: 'boolean' } }),
  },
  drop: named('Remove a set with its topics and tables', object({ dropped: { const: true } }), 'It is gone'),
};
