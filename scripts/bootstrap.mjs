/**
 * The door of a fresh clone: needs only Node 20 and npm. Installs what is missing, finds the project's own Node and
 * hands over.
 *
 *   node scripts/bootstrap.mjs run|test|verify|gridfold|kafka|faults|tool [arguments]
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installIfNeeded } from './install.mjs';
import { launch } from './launch.mjs';
import { projectNode } from './project-node.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [mode, ...rest] = process.argv.slice(2);
const cli = join(root, 'cli', 'gridfold.ts');

/** What Node is given for each mode. */
const commands = {
  run: () => [cli, 'run', ...rest],
  gridfold: () => [cli, ...rest],
  test: () => [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...rest],
  verify: () => [join(root, 'scripts', 'verify.mjs'), ...rest],
  kafka: () => [join(root, 'scripts', 'kafka', 'main.ts'), ...rest],
  faults: () => [join(root, 'test', 'kafka', 'faults', 'main.ts'), ...rest],
  tool: () => [join(root, 'scripts', 'tool.mjs'), ...rest],
};

const command = commands[mode];
if (command === undefined) {
  console.error(`usage: node scripts/bootstrap.mjs ${Object.keys(commands).join('|')} [arguments]`);
  process.exit(2);
}
installIfNeeded(root);
process.exitCode = await launch(root, projectNode(root), command(), {
  signalIsSuccess: mode === 'run',
  cwd: mode === 'run' || mode === 'gridfold' ? process.cwd() : root,
});
