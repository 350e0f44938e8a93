import type { AuditReport } from '../app-contract.ts';
import { expectOk } from '../client.ts';
import { type Command, urlOption } from '../command.ts';
import { table, writeJson } from '../output.ts';
import { withInstance } from '../target.ts';

export const audit: Command = {
  name: 'audit',
  summary: 'Compares every sink with the log: exit code 1 when anything is lost or doubled.',
  positionals: [],
  runtimeOptions: ['dataDir', 'json', 'logLevel'],
  options: { ...urlOption },
  examples: [
    { line: 'gridfold audit', doc: 'A row per sink and partition; doubled and missing must be 0.' },
    { line: 'gridfold audit --json || page-somebody', doc: 'For a scheduled check.' },
  ],
  run(call) {
    return withInstance(call, { create: false }, async (client) => {
      const report = expectOk<AuditReport>(await client.get('/v1/audit'));
      if (call.json) writeJson(call.io.stdout, report);
      else call.io.stdout.write(`${describe(report)}\n`);
      return report.ok ? 0 : 1;
    });
  },
};

function describe({ ok, sinks }: AuditReport): string {
  const columns = ['sink', 'partition', 'next', 'log end', 'rows', 'doubled', 'missing'];
  const rows = sinks.map((row) => [row.sink, row.partition, row.next, row.logEnd, row.rows, row.doubled, row.missing]);
  const verdict = ok ? 'Nothing lost, nothing doubled.' : 'NOT exactly once: events are lost or doubled.';
  return `${table(columns, rows)}\n\n${verdict}`;
}
