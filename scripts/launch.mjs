/** Runs a child as if it were this process: same terminal, same signals, same exit code. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** A child that has not ended so long after the last signal is killed. */
const KILL_AFTER_MS = 15_000;

/** Resolves with the child's exit code (128 + signal number when a signal ended it). */
export function launch(root, node, args, { signalIsSuccess = false, cwd = process.cwd() } = {}) {
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
  const child = spawn(node, args, { stdio: 'inherit', cwd, env: { ...process.env, PATH: path } });
  let signalled = false;
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      signalled = true;
      // On Ctrl-C the terminal has told the child too; it takes repeated signals for one.
      child.kill(signal);
      setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
    });
  }
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`gridfold: cannot start ${node}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => {
      if (code !== null) return resolve(code);
      if (signalled && signalIsSuccess) return resolve(0);
      resolve(128 + (constants.signals[signal] ?? 0));
    });
  });
}
