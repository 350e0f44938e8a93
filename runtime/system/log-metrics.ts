import { Gauge, type Registry } from 'prom-client';
import { countedElsewhere } from './counted.ts';

/** How it stands with a log on brokers: whether they answer, and what was moved since the start. */
export interface LogStatus {
  readonly ok: boolean;
  /** Since when it is so, epoch milliseconds. */
  readonly since: number;
  readonly retries: number;
  readonly readRecords: number;
  readonly readBytes: number;
  readonly appendedRecords: number;
  readonly appendedBytes: number;
  readonly commits: number;
  readonly bufferedBytes: number;
}

/** Metrics of the log; returns the function that reads the status, once per scrape. */
export function logGauges(registry: Registry, now: () => number, status: () => LogStatus): () => void {
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `gridfold_log_${name}`, help, registers: [registry] });
  const available = gauge('available', '1 while the brokers answer, else 0');
  const outage = gauge('outage_seconds', 'How long the brokers have not answered; 0 while they do');
  const buffered = gauge('buffered_bytes', 'Bytes fetched ahead of the partitions that fold them');
  const totals = counted(registry);
  return () => {
    const s = status();
    available.set(s.ok ? 1 : 0);
    outage.set(s.ok ? 0 : Math.max(0, now() - s.since) / 1000);
    buffered.set(s.bufferedBytes);
    totals(s);
  };
}

/** Counters that follow the log's own counts. */
function counted(registry: Registry): (status: LogStatus) => void {
  const counter = (name: string, help: string) => countedElsewhere(registry, `log_${name}_total`, help);
  const retries = counter('retries', 'Calls to the brokers that were repeated');
  const readRecords = counter('read_records', 'Records read from the log');
  const readBytes = counter('read_bytes', 'Bytes of them');
  const appendedRecords = counter('appended_records', 'Records written to the log, those of commits included');
  const appendedBytes = counter('appended_bytes', 'Bytes of them');
  const commits = counter('commits', 'Commits of all partitions');
  return (s) => {
    retries(s.retries);
    readRecords(s.readRecords);
    readBytes(s.readBytes);
    appendedRecords(s.appendedRecords);
    appendedBytes(s.appendedBytes);
    commits(s.commits);
  };
}
