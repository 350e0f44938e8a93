import { type Command, urlOption } from '../command.ts';
import { feed } from '../feed.ts';
import { openInput, readLines } from '../lines.ts';
import { recordsOfLines } from '../records.ts';
import { withInstance } from '../target.ts';

export const noWaitOption = {
  'no-wait': {
    type: 'flag',
    doc: 'Returns when the log holds the records, not only when all is folded and committed.',
  },
} as const;

export const ingest: Command = {
  name: 'ingest',
  summary: 'Reads telemetry and lifecycle records, mixed or not, one JSON object a line.',
  positionals: ['FILE'],
  runtimeOptions: ['dataDir', 'json', 'logLevel'],
  options: { ...urlOption, ...noWaitOption },
  details: [
    'FILE may be gzip; a dash is stdin. Returns when everything is folded and every sink has committed it. Lines that are no records are counted, shown with their reason, and kept as dead letters; they stop nothing. Sending a file again does no harm: duplicates change nothing.',
  ],
  examples: [
    { line: 'gridfold ingest readings.ndjson.gz', doc: 'A file, into the running instance or the data folder.' },
    {
      line: 'collect | gridfold ingest - --url http://gridfold.local:4343',
      doc: 'A pipe, into an instance elsewhere.',
    },
  ],
  run(call) {
    const [file] = call.positionals;
    const records = recordsOfLines(readLines(openInput(file, call.io)));
    return withInstance(call, { create: true }, (client) => feed(call, client, records));
  },
};
