/**
 * The verifier: a program of its own that trusts nothing but the broker. It reads all topics as a reader of committed
 * records does, with kafkajs's consumer, folds every partition once from the first record on, in the journalled
 * interleaving, and holds against that what three processes left behind while they were killed, stopped and moved:
 *
 *   - the derived, contribution and dead-letter topics, record by record and byte by byte,
 *   - the journals: each commit follows the one before it, and none is of a fenced owner; every input is in one,
 *   - the state of every asset and place, as the processes show it,
 *   - the rows and the ledger of each process's tables.
 *
 *   node test/kafka/faults/verify.ts JSON     ({@link Task}) prints a JSON report; exit code 1 when anything differs
 */
import { types } from '../../crash/types.ts';
import { eventsOf, readOutputs } from '../../crash/written.ts';
import { topics } from '../../../runtime/log/contract.ts';
import { compareStateFolders } from './folders.ts';
import { compareTables, compareViews, type DoorAddress } from './doors.ts';
import { extentsOf, holdLog, type Source } from './held-log.ts';
import { type Refolded, refold } from './refold.ts';

export interface Task extends Source {
  /** Processes that run; state and rows are asked of them. */
  readonly doors: readonly DoorAddress[];
  /** Data folders of processes that have ended in good order; the states in them are opened. */
  readonly dataDirs: readonly string[];
}

export interface Report {
  /** Records of the input. */
  readonly records: number;
  readonly commits: number;
  /** Owners that committed, summed over the partitions of all actor types. */
  readonly owners: number;
  readonly events: number;
  readonly contributions: number;
  readonly deadLetters: number;
  /** Rows of all processes. */
  readonly rows: number;
  readonly assets: number;
  /** False when somebody committed while it was read; then differences mean nothing. */
  readonly still: boolean;
  /** What differs; empty when nothing was lost, doubled or changed. */
  readonly differences: readonly string[];
}

const MOST_DIFFERENCES = 20;

export async function verify(task: Task): Promise<Report> {
  const differences: string[] = [];
  const differ = (text: string) => {
    if (differences.length < MOST_DIFFERENCES) differences.push(text.slice(0, 1_500));
  };
  const names = [topics.derived, topics.contributions, topics.deadLetters].concat(
    types.flatMap(({ topics: own }) => [own.readings, own.lifecycle, own.journal]) as never,
  );
  const log = await holdLog(task, [...new Set<string>(names)]);
  const written = await readOutputs(log, types);
  const refolded: Refolded[] = [];
  for (const type of types) {
    for (let p = 0; p < log.partitions; p++) refolded.push(await refold(log, type, p, written, differ));
  }
  for (const place of written.left()) differ(`${place}: records beyond the last commit`);
  const events = eventsOf(written, differ);
  let rows = 0;
  let assets = 0;
  if (task.doors.length > 0) assets = await compareViews(task.doors[0], refolded, differ);
  for (const door of task.doors) rows += await compareTables(door, events, differ);
  if (task.dataDirs.length > 0) assets = await compareStateFolders(task.dataDirs, refolded, differ);
  for (const { close } of refolded) await close();
  const now = await extentsOf(task, [...new Set<string>(names)]);
  const sum = (of: 'commits' | 'generations') => refolded.reduce((n, one) => n + one[of], 0);
  return {
    records: log.count(topics.telemetry) + log.count(topics.lifecycle),
    commits: sum('commits'),
    owners: sum('generations'),
    events: events.size,
    contributions: log.count(topics.contributions),
    deadLetters: log.count(topics.deadLetters),
    rows,
    assets,
    still: [...log.extents].every(([place, { end }]) => now.get(place)?.end === end),
    differences,
  };
}

if (process.argv[1] === import.meta.filename) {
  const report = await verify(JSON.parse(process.argv[2]));
  process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
  process.exitCode = report.differences.length === 0 ? 0 : 1;
}
