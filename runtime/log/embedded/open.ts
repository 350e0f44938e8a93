import type { GridfoldError } from '../../kernel/errors.ts';
import { topics } from '../contract.ts';
import { agreeOnFormat, droppedByLevelDb, openDatabase, repairDatabase } from './database.ts';
import { corrupt, isFileDamage } from './failures.ts';
import type { Owner } from './group.ts';
import { commitKey } from './keys.ts';
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
  readonly owners: Owner[];
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
  const commits = Array.from({ length: count }, (_, p) => tolerant(acceptLoss, () => readCommit(db, p)));
  const { places, damagedKeys } = await listPlaces(db, commits);
  const logBytes = await logBytesOf(db, places);
  const verifyFrom = acceptLoss ? -1 : logBytes - VERIFIED_BYTES;
  const plans: { survey: Survey; decision: Decision }[] = [];
  for (const { topic, partition } of places) {
    const marker: MarkerRow | null = tolerant(acceptLoss, () => readMarker(db, topic, partition));
    const found = await survey(db, topic, partition, marker, verifyFrom);
    plans.push({ survey: found, decision: decide(found, commits[partition]?.ends[topic] ?? 0) });
  }
  const losses = plans.flatMap(({ decision }) => (decision.kind === 'refuse' ? [decision.loss] : []));
  for (const {
    survey: { topic, partition },
    decision,
  } of plans) {
    const told = commits[partition]?.ends[topics.journal] ?? 0;
    if (topic !== topics.journal || decision.end.offset <= told) continue;
    losses.push(`commit entry ${partition}: its journal ends at ${decision.end.offset}, the entry knows ${told} only`);
  }
  if (losses.length > 0 && !acceptLoss) throw refusal(losses);
  for (const loss of losses) onMessage({ level: 'warn', msg: `Given up: ${loss}`, fields: {} });
  return settle(db, count, plans, commits, { logBytes, damagedKeys, onMessage });
}

/** Carries the decisions out and builds what the log works with. */
async function settle(
  db: Db,
  count: number,
  plans: readonly { survey: Survey; decision: Decision }[],
  commits: readonly (CommitRow | null)[],
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
  const owners = await settleOwners(db, count, commits, partitions);
  return { db, partitions, owners, logBytes, cuts };
}

/** A commit entry that does not fit its journal any more (accepted loss) begins anew, without a position. */
async function settleOwners(
  db: Db,
  count: number,
  commits: readonly (CommitRow | null)[],
  partitions: ReadonlyMap<string, Partition>,
): Promise<Owner[]> {
  const owners: Owner[] = [];
  for (let partition = 0; partition < count; partition++) {
    const journalEnd = partitions.get(`${topics.journal}/${partition}`)?.end ?? 0;
    let row = commits[partition] ?? { generation: 0, position: null, ends: {} };
    if ((row.ends[topics.journal] ?? 0) !== journalEnd) {
      row = { generation: row.generation + 1, position: null, ends: { ...row.ends, [topics.journal]: journalEnd } };
      await db.batch([sealRow(commitKey(partition), row)], { sync: true });
    }
    owners.push({ partition, newest: row, durable: row });
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
