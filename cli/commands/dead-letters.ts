import type { DeadLetterPage, DeadLetterView } from '../../api/http/operations.ts';
import { type Client, expectOk } from '../client.ts';
import { type Command, urlOption } from '../command.ts';
import { printable, table, writeJson } from '../output.ts';
import { withInstance } from '../target.ts';

const PAGE = 500;
const SHOWN_BYTES = 60;

export const deadLetters: Command = {
  name: 'dead-letters',
  summary: 'Lists records that were set aside, newest first, with the reason and the original bytes.',
  positionals: [],
  runtimeOptions: ['dataDir', 'json', 'logLevel'],
  options: {
    ...urlOption,
    limit: { type: 'integer', min: 1, max: 100_000, doc: 'Most letters to show. Default 100.' },
    reason: { type: 'text', value: 'CODE', doc: 'Only those with this reason code.' },
  },
  examples: [
    { line: 'gridfold dead-letters --limit 20', doc: 'The newest twenty.' },
    {
      line: `gridfold dead-letters --reason beyond_horizon --json | jq -r '.[].value' | base64 -d`,
      doc: 'The bytes as they came.',
    },
  ],
  run(call) {
    const limit = Number(call.values.limit ?? 100);
    const reason = call.values.reason;
    return withInstance(call, { create: false }, async (client) => {
      const letters = await collect(client, limit, reason === undefined ? null : String(reason));
      if (call.json) writeJson(call.io.stdout, letters);
      else call.io.stdout.write(`${describe(letters)}\n`);
      return 0;
    });
  },
};

async function collect(client: Client, limit: number, reason: string | null): Promise<DeadLetterView[]> {
  const letters: DeadLetterView[] = [];
  let before: string | null = null;
  do {
    const query = new URLSearchParams({ limit: String(PAGE), ...(before === null ? {} : { before }) });
    const page: DeadLetterPage = expectOk(await client.get(`/v1/dead-letters?${query}`));
    letters.push(...page.items.filter((letter) => reason === null || letter.reason === reason));
    before = page.next;
  } while (before !== null && letters.length < limit);
  return letters.slice(0, limit);
}

function describe(letters: readonly DeadLetterView[]): string {
  const rows = letters.map(({ at, reason, serial, source, bytes, value }) => [
    at,
    reason,
    serial,
    source ?? 'door',
    bytes,
    beginning(value),
  ]);
  return table(['at', 'reason', 'serial', 'source', 'bytes', 'begins with'], rows);
}

function beginning(base64: string): string {
  const bytes = Buffer.from(base64.slice(0, SHOWN_BYTES * 2), 'base64');
  return printable(bytes.subarray(0, SHOWN_BYTES).toString('utf8'));
}
