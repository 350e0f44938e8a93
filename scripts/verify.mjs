/**
 * Everything that CI checks. All steps run even when one fails; the exit code is 1 when any did.
 *
 *   npm run verify                       all steps
 *   npm run verify -- --only imports     one of them
 *   npm run verify -- --skip tests       all but one
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { root, toolPath } from './tools.mjs';

const steps = [
  { name: 'format', tool: 'biome', args: ['format', '.'] },
  { name: 'lint', tool: 'biome', args: ['lint', '--error-on-warnings', '.'] },
  {
    name: 'imports',
    tool: 'depcruise',
    args: ['--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', '.'],
  },
  { name: 'types', tool: 'tsc', args: ['--noEmit', '-p', '.'] },
  { name: 'tests', tool: 'vitest', args: ['run'] },
];

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, skip: { type: 'string', multiple: true } },
});
const unknown = [...(values.only ?? []), ...(values.skip ?? [])].filter((name) => !steps.some((s) => s.name === name));
if (unknown.length > 0) {
  console.error(`verify: unknown step ${unknown.join(', ')}; known: ${steps.map((s) => s.name).join(', ')}`);
  process.exit(2);
}

const chosen = steps.filter((s) => (values.only?.includes(s.name) ?? true) && !values.skip?.includes(s.name));
const failed = [];
for (const step of chosen) {
  console.log(`\n== ${step.name}`);
  const done = spawnSync(process.execPath, [toolPath(step.tool), ...step.args], { cwd: root, stdio: 'inherit' });
  if (done.status !== 0) failed.push(step.name);
}
console.log(
  `\nverify: ${failed.length === 0 ? `ok (${chosen.map((s) => s.name).join(', ')})` : `failed: ${failed.join(', ')}`}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
