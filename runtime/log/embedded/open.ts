import type { GridfoldError } from '../../kernel/errors.ts';
import { isJournal } from '../contract.ts';
import { agreeOnFormat, droppedByLevelDb, openDatabase, repairDatabase } from './database.ts';
import { corrupt, isFileDamage } from './failures.ts';
import type { Owner } from './group.ts';
import { commitKey, commitsRange, parseCommitKey } from './keys.ts';
import { type Cut, type Decision, decide, mend, refusal } from './mend.ts';
import { Partition } from './partition.ts';
import { type CommitRow, type Db, type MarkerRow, readCommit, readMarker, sealRow } from './rows.ts';
import { listPlaces, logBytesOf, type Survey, survey, VERIFIED_BYTES } from './survey.ts';

export interface LogMessage {
  readonly level: 'info' | 'warn' | 'error';
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A verified log, ready to be written to. */
export interface Opened {
  readonly db: Db;
  readonly partitions: Map<string, Partition>;
  readonly owners: Map<string, Owner>;
  readonly logBytes: number;
  readonly cuts: readonly Cut[];
}

interface OpenOptions {
  readonly dir: string;
  readonly partitions: number;
  readonly acceptLoss: boolean;
  readonly onMessage: (message: LogMessage) => void;
}

/**
 * Opens and verifies. Throws `log_locked`, `log_partitions_changed` or `log_corrupt`. With `acceptLoss`, everything
 * retained is verified, files that LevelDB cannot read are repaired away, and what is lost is given up with a warning.
 */
export async function openVerified(options: OpenOptions): Promise<Opened> {
  try {
    return await openOnce(options);
  } catch (error) {
    if (!options.acceptLoss || !isDamage(error)) throw error;
    options.onMessage({ level: 'warn', msg: 'Repairing the log', fields: { cause: (error as Error).message } });
    await repairDatabase(options.dir);
    return openOnce(options);
  }
}

function isDamage(error: unknown): boolean {
  return (error as Partial<GridfoldError>).code === 'log_corrupt';
}

async function openOnce(options: OpenOptions): Promise<Opened> {
  const db = await openDatabase(options.dir);
  try {
    for (const line of droppedByLevelDb(options.dir)) {
      const msg = 'LevelDB found damage in its own log and left records out; whether acknowledged ones is verified now';
      options.onMessage({ level: 'warn', msg, fields: { report: line } });
    }
    await agreeOnFormat(db, options.partitions, options.acceptLoss);
    return await verify(db, options);
  } catch (error) {
    await db.close();
    if (!isFileDamage(error)) throw error;
    throw corrupt(`LevelDB reports "${(error as Error).message}"`, error);
  }
}

async function verify(db: Db, { partitions: count, acceptLoss, onMessage }: OpenOptions): Promise<Opened> {
  const commits = await readCommits(db, count, acceptLoss);
  const { places, damagedKeys } = await listPlaces(db, commits);
  const logBytes = await logBytesOf(db, places);
  const verifyFrom = acceptLoss ? -1 : logBytes - VERIFIED_BYTES;
  const plans: { survey: Survey; decision: Decision }[] = [];
  for (const { topic, partition } of places) {
    const marker: MarkerRow | null = tolerant(acceptLoss, () => readMarker(db, topic, partition));
    const found = await survey(db, topic, partition, marker, verifyFrom);
    plans.push({ survey: found, decision: decide(found, endTold(commits, topic, partition)) });
  }
  const losses = plans.flatMap(({ decision }) => (decision.kind === 'refuse' ? [decision.loss] : []));
  for (const {
    survey: { topic, partition },
    decision,
  } of plans) {
    if (!isJournal(topic)) continue;
    const told = endTold(commits, topic, partition);
    if (decision.end.offset <= told) continue;
    losses.push(
      `commit entry ${topic}/${partition}: its journal ends at ${decision.end.offset}, the entry knows ${told} only`,
    );
  }
  if (losses.length > 0 && !acceptLoss) throw refusal(losses);
  for (const loss of losses) onMessage({ level: 'warn', msg: `Given up: ${loss}`, fields: {} });
  return settle(db, plans, commits, { logBytes, damagedKeys, onMessage });
}

/** Carries the decisions out and builds what the log works with. */
async function settle(
  db: Db,
  plans: readonly { survey: Survey; decision: Decision }[],
  commits: readonly KnownCommit[],
  {
    logBytes,
    damagedKeys,
    onMessage,
  }: { logBytes: number; damagedKeys: readonly Uint8Array[] } & Pick<OpenOptions, 'onMessage'>,
): Promise<Opened> {
  const partitions = new Map<string, Partition>();
  const cuts: Cut[] = [];
  if (damagedKeys.length > 0) {
    await db.batch(
      damagedKeys.map((key) => ({ type: 'del' as const, key })),
      { sync: true },
    );
    onMessage({ level: 'warn', msg: 'Removed entries with damaged keys', fields: { entries: damagedKeys.length } });
  }
  for (const {
    survey: { topic, partition },
    decision,
  } of plans) {
    await mend(db, topic, partition, decision);
    if (decision.kind === 'cut') {
      cuts.push(decision.cut);
      const { from, reason } = decision.cut;
      const msg = `Cut the damaged end of ${topic}/${partition}: offsets from ${from} on are gone (${reason})`;
      onMessage({ level: 'warn', msg, fields: { topic, partition, from, reason } });
    }
    const { start, end } = decision;
    const at = { start: start.offset, end: end.offset, crc: end.crc, bytes: end.bytes, bytesBeforeStart: start.bytes };
    partitions.set(`${topic}/${partition}`, new Partition(topic, partition, at));
  }
  const owners = await settleOwners(db, commits, partitions);
  return { db, partitions, owners, logBytes, cuts };
}

/** The commit entry of a partition of a journal; `row` null: it was damaged, and that is accepted. */
export interface KnownCommit {
  readonly journal: string;
  readonly partition: number;
  readonly row: CommitRow | null;
}

async function readCommits(db: Db, count: number, acceptLoss: boolean): Promise<KnownCommit[]> {
  const known: KnownCommit[] = [];
  for (const key of await db.keys(commitsRange).all()) {
    const parsed = parseCommitKey(key);
    if (parsed === null || parsed.partition >= count) continue;
    const { journal, partition } = parsed;
    known.push({ journal, partition, row: tolerant(acceptLoss, () => readCommit(db, journal, partition)) });
  }
  return known;
}

/** Where a partition ends at least, as far as any commit tells. */
function endTold(commits: readonly KnownCommit[], topic: string, partition: number): number {
  let end = 0;
  for (const { partition: own, row } of commits) if (own === partition) end = Math.max(end, row?.ends[topic] ?? 0);
  return end;
}

/** A commit entry that does not fit its journal any more (accepted loss) begins anew, without a position. */
async function settleOwners(
  db: Db,
  commits: readonly KnownCommit[],
  partitions: ReadonlyMap<string, Partition>,
): Promise<Map<string, Owner>> {
  const owners = new Map<string, Owner>();
  const settleOne = async (journal: string, partition: number, told: CommitRow | null) => {
    const end = partitions.get(`${journal}/${partition}`)?.end ?? 0;
    let row = told ?? { generation: 0, position: null, ends: {} };
    if ((row.ends[journal] ?? 0) !== end) {
      row = { generation: row.generation + 1, position: null, ends: { ...row.ends, [journal]: end } };
      await db.batch([sealRow(commitKey(journal, partition), row)], { sync: true });
    }
    owners.set(`${journal}/${partition}`, { journal, partition, newest: row, durable: row });
  };
  for (const { journal, partition, row } of commits) await settleOne(journal, partition, row);
  for (const { topic, index } of partitions.values()) {
    if (isJournal(topic) && !owners.has(`${topic}/${index}`)) await settleOne(topic, index, null);
  }
  return owners;
}

function tolerant<T>(acceptLoss: boolean, read: () => T | null): T | null {
  try {
    return read();
  } catch (error) {
    if (acceptLoss && isDamage(error)) return null;
    throw error;
  }
}
