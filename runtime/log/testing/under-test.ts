import type { Log } from '../contract.ts';

/** One log under test. Every test gets a new, empty one with at least two partitions. */
export interface LogUnderTest {
  log: Log;
  /** Closes the log and opens the same one again, as a new process would. */
  reopen: () => Promise<Log>;
  /** Closes it and removes what it stored. */
  destroy: () => Promise<void>;
}
