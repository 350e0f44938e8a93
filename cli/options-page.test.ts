import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { optionsPage } from '../runtime/system/options-page.ts';
import { kindDefaults } from './kinds.ts';

it('docs/options.md says what the table of options says (node scripts/docs.ts writes it)', () => {
  expect(readFileSync(new URL('../docs/options.md', import.meta.url), 'utf8')).toBe(optionsPage(kindDefaults));
});
