/** Where the entry points of the development tools stand, so that they run on the project's Node whatever the PATH says. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const packages = { biome: '@biomejs/biome', tsc: 'typescript', depcruise: 'dependency-cruiser', vitest: 'vitest' };

/** Path of the script behind a tool's name. */
export function toolPath(name) {
  const packageName = packages[name];
  if (packageName === undefined) throw new Error(`unknown tool ${name}; known: ${Object.keys(packages).join(', ')}`);
  const folder = join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return createRequire(import.meta.url).resolve(join(folder, typeof bin === 'string' ? bin : bin[name]));
}
