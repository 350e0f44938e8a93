/**
 * Numbered I/O steps at which the fault tests end the process, as a power cut would.
 *
 * `GRIDFOLD_CRASH_AT=commit.2:17` kills the process with SIGKILL at the 17th passage of step `commit.2`.
 * Without the variable a crash point costs one comparison.
 */
const [armedStep, armedCount] = (process.env.GRIDFOLD_CRASH_AT ?? '').split(':');
let passages = 0;

export function crashPoint(step: string): void {
  if (armedStep !== step) return;
  passages += 1;
  if (passages >= Number(armedCount ?? 1)) process.kill(process.pid, 'SIGKILL');
}
