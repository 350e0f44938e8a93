import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Prints the totals alone on one line when all tests have run, and writes them to GRIDFOLD_TEST_SUMMARY if that names a file. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state === 'pending' ? 'skipped' : state] += 1;
      }
      // A file that cannot be loaded has no tests to count.
      if (module.state() === 'failed' && [...module.children.allTests('failed')].length === 0) counts.failed += 1;
    }
    counts.failed += unhandledErrors.length;
    const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    // After the summary of the reporter before this one.
    process.once('exit', () => process.stdout.write(`\n${line}\n`));
    if (process.env.GRIDFOLD_TEST_SUMMARY) writeFileSync(process.env.GRIDFOLD_TEST_SUMMARY, `${line}\n`);
  }
}
