/** Gives numbers to new names and writes the schemas of the binary formats: `node scripts/schemas.ts`. Tests compare. */
import { writeFileSync } from 'node:fs';
import { kinds } from '../actors/device/index.ts';
import { declare } from '../codec/schema/declaration.ts';
import { BINARY_FORMATS, printSchema, SUBJECTS, schemaFile } from '../codec/schema/files.ts';
import { NUMBERS, withNewNames } from '../codec/schema/numbers.ts';

const folder = new URL('../codec/schema/', import.meta.url);
const numbers = withNewNames(NUMBERS, kinds);
writeFileSync(new URL('numbers.json', folder), `${JSON.stringify(numbers, null, 2)}\n`);
for (const subject of SUBJECTS) {
  for (const format of BINARY_FORMATS) {
    writeFileSync(new URL(schemaFile(subject, format), folder), printSchema(subject, format, declare(kinds, numbers)));
  }
}
