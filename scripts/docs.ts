/** Writes the pages that are made from the code: `node scripts/docs.ts`. A test compares them with what stands there. */
import { writeFileSync } from 'node:fs';
import { kindDefaults } from '../cli/kinds.ts';
import { optionsPage } from '../runtime/system/options-page.ts';

writeFileSync(new URL('../docs/options.md', import.meta.url), optionsPage(kindDefaults));
