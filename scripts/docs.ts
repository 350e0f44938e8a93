/** Writes the pages and tables that are made from the code: `node scripts/docs.ts`. Tests compare them with what stands there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { kindDefaults } from '../cli/kinds.ts';
import { optionsPage } from '../runtime/system/options-page.ts';
import { pagesWithTables, withTables } from './docs-tables.ts';

writeFileSync(new URL('../docs/options.md', import.meta.url), optionsPage(kindDefaults));
for (const name of pagesWithTables) {
  const file = new URL(`../docs/${name}`, import.meta.url);
  writeFileSync(file, withTables(readFileSync(file, 'utf8')));
}
