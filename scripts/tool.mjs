/** Runs one development tool: `node scripts/tool.mjs biome lint .` */
import { spawnSync } from 'node:child_process';
import { root, toolPath } from './tools.mjs';

const [name, ...args] = process.argv.slice(2);
const done = spawnSync(process.execPath, [toolPath(name), ...args], { cwd: root, stdio: 'inherit' });
process.exitCode = done.status ?? 1;
