#!/usr/bin/env node
/** The `gridfold` command as npm links it: runs cli/gridfold.ts on the project's Node. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../scripts/launch.mjs';
import { projectNode } from '../scripts/project-node.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const args = process.argv.slice(2);
const isRun = args[0] === 'run';
process.exitCode = await launch(root, projectNode(root), [join(root, 'cli', 'gridfold.ts'), ...args], {
  signalIsSuccess: isRun,
});
