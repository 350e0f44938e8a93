import type { Sink } from '../../actors/sinks/contract.ts';
import { type Log, topics } from '../../runtime/log/contract.ts';
import type { AuditReport, AuditRow } from '../app-contract.ts';

/** Holds every sink's own account of what it has against the derived topic. */
export async function audit(log: Log, sinks: readonly Sink[]): Promise<AuditReport> {
  const rows: AuditRow[] = [];
  for (const sink of sinks) {
    const accounts = new Map((await sink.audit()).map((a) => [a.partition, a]));
    for (let partition = 0; partition < log.partitions; partition++) {
      const { next = 0, rows: count = 0, doubled = 0, missing = 0 } = accounts.get(partition) ?? {};
      const logEnd = log.extent(topics.derived, partition).end;
      rows.push({ sink: sink.name, partition, next, logEnd, rows: count, doubled, missing });
    }
  }
  return { ok: rows.every((row) => isClean(row, log.shared)), sinks: rows };
}

/** Several reports as one. */
export function joinAudits(reports: readonly AuditReport[]): AuditReport {
  return { ok: reports.every(({ ok }) => ok), sinks: reports.flatMap(({ sinks }) => sinks) };
}

/** One row per event up to `next`, none beyond the log's end, and, where every offset is an event, as many as the log had. */
function isClean({ next, logEnd, rows, doubled, missing }: AuditRow, offsetsHaveHoles: boolean): boolean {
  return doubled === 0 && missing === 0 && next <= logEnd && (offsetsHaveHoles ? rows <= next : rows === next);
}
