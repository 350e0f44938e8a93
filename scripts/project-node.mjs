/** Finds the Node that runs the project's TypeScript: the one in node_modules, or the current one when it is new enough. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { npmCommand } from './install.mjs';

const NEEDED_MAJOR = 24;

/** Path of a Node >= 24. Ends the process with exit code 2 and a message when there is none. */
export function projectNode(root) {
  const folder = nodePackage(root);
  if (folder !== null) {
    const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    if (works(binary)) return binary;
    if (newEnough(process.versions.node)) return process.execPath;
    completeInstall(folder);
    if (works(binary)) return binary;
    // The platform's package can be there although linking it into bin/ failed.
    const direct = platformBinary(folder);
    if (direct !== null && works(direct)) return direct;
  }
  if (newEnough(process.versions.node)) return process.execPath;
  console.error(
    `gridfold: needs Node ${NEEDED_MAJOR} or newer to run; this is ${process.version}, and the copy that the package "node" ` +
      'brings could not be installed.\nEither install Node 24 and try again, or allow its install script: npm rebuild node',
  );
  process.exit(2);
}

function newEnough(version) {
  return Number(version.split('.')[0]) >= NEEDED_MAJOR;
}

function nodePackage(root) {
  try {
    return dirname(createRequire(join(root, 'package.json')).resolve('node/package.json'));
  } catch {
    return null;
  }
}

function works(binary) {
  if (!existsSync(binary)) return false;
  const answer = spawnSync(binary, ['-p', 'process.versions.node'], { encoding: 'utf8' });
  return answer.status === 0 && newEnough(answer.stdout.trim());
}

/** npm may refuse the install scripts of dependencies; then the script that fetches the binary is run here. */
function completeInstall(folder) {
  console.error('gridfold: fetching the Node that runs the project ...');
  const npm = npmCommand();
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const name = platformPackage();
  const scripted = spawnSync(process.execPath, ['installArchSpecificPackage.js'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (scripted.status === 0) return;
  spawnSync(npm.file, [...npm.args, 'install', '--no-save', '--no-audit', '--no-fund', `${name}@${version}`], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: npm.shell,
  });
}

function platformPackage() {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
}

function platformBinary(folder) {
  try {
    const manifest = createRequire(join(folder, 'package.json')).resolve(`${platformPackage()}/package.json`);
    return join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.node);
  } catch {
    return null;
  }
}
