import { GridfoldError } from '../runtime/kernel/errors.ts';
import { type Answer, type Client, expectOk } from './client.ts';
import type { Call } from './command.ts';
import { Delivery, type DeliveryReport } from './deliver.ts';
import { count, printable, writeJson } from './output.ts';
import { Progress } from './progress.ts';
import type { OutgoingRecord } from './records.ts';

/** One request to settle waits so long; then it is asked again. */
const SETTLE_TIMEOUT_MS = 20_000;

/**
 * Sends records to an instance with a line of progress, waits until they are folded and every sink has committed them
 * (unless `--no-wait`), and says what became of them. Exit code 1 when nothing was accepted.
 */
export async function feed(call: Call, client: Client, records: AsyncIterable<OutgoingRecord>): Promise<number> {
  const { io, json } = call;
  const progress = new Progress(io);
  const delivery = new Delivery(client, (report) => progress.tick(() => progressLine(report, progress.elapsedMs)));
  let report: DeliveryReport;
  try {
    report = await delivery.run(records);
  } catch (error) {
    progress.end();
    throw stoppedAfter(delivery.report(), error);
  }
  const wait = call.values['no-wait'] !== true;
  if (wait) await settle(client, progress);
  progress.end();
  tellRefused(call, report);
  const seconds = Math.max(progress.elapsedMs, 1) / 1_000;
  const { examples, reasons, ...counts } = report;
  if (json) writeJson(io.stdout, { ...counts, reasons, settled: wait, elapsedMs: Math.round(seconds * 1_000) });
  else io.stdout.write(`${summary(report, wait, seconds)}\n`);
  return report.accepted === 0 && report.refused > 0 ? 1 : 0;
}

/** Waits until all input is folded and committed by every sink, however long that takes. */
async function settle(client: Client, progress: Progress): Promise<void> {
  for (;;) {
    const answer = await client.post(`/v1/settle?timeoutMs=${SETTLE_TIMEOUT_MS}`, {});
    if (!isNotYet(answer)) return void expectOk(answer);
    progress.tick(() => `waiting until all is folded and committed (${Math.round(progress.elapsedMs / 1_000)} s)`);
  }
}

function isNotYet({ status, body }: Answer): boolean {
  return status === 503 && (body as { code?: unknown } | null)?.code === 'not_settled';
}

/** For instance `1,200 records, 0.3 MB, 600 records/s`. */
export function progressLine({ records, bytes }: DeliveryReport, elapsedMs: number): string {
  const rate = Math.round(records / Math.max(elapsedMs / 1_000, 0.001));
  return `${count(records, 'record')}, ${(bytes / 1e6).toFixed(1)} MB, ${rate.toLocaleString('en-US')} records/s`;
}

function summary(report: DeliveryReport, waited: boolean, seconds: number): string {
  const state = waited ? 'folded and committed' : 'in the log';
  const refused = report.refused === 0 ? '' : `, ${report.refused.toLocaleString('en-US')} refused`;
  return `${count(report.accepted, 'record')} ${state}${refused}, ${seconds.toFixed(1)} s`;
}

/** Shows the first refused lines, and how many there were by reason. */
export function tellRefused({ io }: Call, report: DeliveryReport): void {
  for (const { line, reason, detail } of report.examples) {
    io.stderr.write(`line ${line}: ${printable(reason)}: ${printable(detail)}\n`);
  }
  if (report.refused === 0) return;
  const reasons = Object.entries(report.reasons).map(([reason, n]) => `${reason} ${n}`);
  io.stderr.write(`refused: ${printable(reasons.join(', '))}; "gridfold dead-letters" shows them\n`);
}

function stoppedAfter(report: DeliveryReport, error: unknown): unknown {
  if (!(error instanceof GridfoldError) || report.records === 0) return error;
  const message = `${error.message} Stopped after ${count(report.records, 'record')}, ${report.accepted} accepted; sending the same again does no harm.`;
  return new GridfoldError(error.code, error.reaction, message, { cause: error });
}
