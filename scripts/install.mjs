/** Brings node_modules to what package-lock.json says. Plain JavaScript: it runs before anything is installed. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs `npm ci` unless node_modules already is what the lock file asks for. Everything it prints goes to stderr. */
export function installIfNeeded(root) {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const wanted = createHash('sha256').update(lockText).digest('hex');
  const stamp = join(root, 'node_modules', '.gridfold-installed');
  if (read(stamp) === wanted) return;

  if (!matches(JSON.parse(lockText), read(join(root, 'node_modules', '.package-lock.json')))) {
    console.error('gridfold: installing dependencies (npm ci) ...');
    const npm = npmCommand();
    const done = spawnSync(npm.file, [...npm.args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: quietEnvironment(),
      shell: npm.shell,
    });
    if (done.status !== 0) {
      console.error('gridfold: npm ci failed; its message stands above. Is the package registry reachable?');
      process.exit(done.status ?? 1);
    }
  }
  writeFileSync(stamp, wanted);
}

/** An install that somebody made by hand counts when every package stands in the version that the lock file names. */
function matches(lock, installedText) {
  if (installedText === null) return false;
  const installed = JSON.parse(installedText).packages;
  return Object.entries(lock.packages).every(
    ([path, entry]) =>
      path === '' || entry.optional || entry.devOptional || entry.peer || installed[path]?.version === entry.version,
  );
}

/** The npm that started us, or the one on the PATH. */
export function npmCommand() {
  const script = process.env.npm_execpath;
  if (script && /npm-cli\.[cm]?js$/.test(script) && existsSync(script)) {
    return { file: process.execPath, args: [script], shell: false };
  }
  return { file: 'npm', args: [], shell: process.platform === 'win32' };
}

/** Inside `npm test` the outer npm's options arrive as variables; a nested npm must not take them for its own. */
function quietEnvironment() {
  const env = { ...process.env };
  for (const name of Object.keys(env))
    if (/^npm_(config_(argv|loglevel)|lifecycle_|package_|command)/i.test(name)) delete env[name];
  return env;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
