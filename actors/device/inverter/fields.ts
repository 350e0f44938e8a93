import type { FieldSpec } from '../../../runtime/shard/reading.ts';
import { commonFields, number, words } from '../fields.ts';

export const STATE_SCHEMES = ['sunspec-103', 'sunspec-701', 'danfoss'] as const;

export const inverterFields: readonly FieldSpec[] = [
  ...commonFields,
  number('energyDayWh', 'Wh', 'Energy of the day; restarts daily', { min: 0, max: 1e12 }),
  number('stateCode', '', 'State by number, in the scheme told beside it', {
    min: 0,
    max: 9999,
    sentinels: [0xffff, -1],
  }),
  words('stateScheme', 'What the state numbers mean', STATE_SCHEMES),
  number('errorCode', '', "Error by the maker's number; 0 = none", { min: -1e9, max: 1e9, sentinels: [0xffff] }),
  { name: 'events', type: 'list', doc: 'Events that are active (SunSpec names)' },
  number('dcPowerW', 'W', 'Power from the panels', { min: -1e8, max: 1e8 }),
  number('throttlePct', '%', 'How far power is throttled, in % of the maximum', { min: 0, max: 100 }),
  { name: 'throttleSources', type: 'list', doc: 'What throttles (SunSpec names)' },
  number('stringsConnected', '', 'Strings that are connected', { min: 0, max: 100_000 }),
  number('stringsTotal', '', 'Strings that there are', { min: 0, max: 100_000 }),
];
