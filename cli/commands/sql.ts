import { expectOk } from '../client.ts';
import { type Call, type Command, urlOption } from '../command.ts';
import { table, writeJson } from '../output.ts';
import { withInstance } from '../target.ts';
import { UsageError } from '../usage-error.ts';

interface SqlAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly truncated: boolean;
}

const MAX_SQL_BYTES = 100_000;

export const sql: Command = {
  name: 'sql',
  summary: 'Asks the tables of derived facts: one read-only statement, DuckDB dialect.',
  positionals: ['STATEMENT'],
  runtimeOptions: ['dataDir', 'json', 'logLevel'],
  options: {
    ...urlOption,
    limit: { type: 'integer', min: 1, max: 100_000, doc: 'Most rows to show. Default 10000.' },
  },
  details: [
    'Every type of derived event is a table, a changelog; the view NAME_current shows the newest version of each fact. A dash as STATEMENT reads it from stdin. With --json the rows are one array of objects.',
  ],
  examples: [
    { line: 'gridfold sql "select * from state_intervals_current limit 5"', doc: 'States with their begin and end.' },
    {
      line: `gridfold sql "select serial, sum(out_wh)/1000 as kwh from energy_intervals_current group by serial"`,
      doc: 'Energy out of each asset.',
    },
    { line: 'gridfold sql --json - < report.sql', doc: 'A statement from a file, rows as JSON.' },
  ],
  async run(call) {
    const statement = await statementOf(call);
    return withInstance(call, { create: false }, async (client) => {
      const answer = expectOk<SqlAnswer>(
        await client.post('/v1/sql', { sql: statement, limit: call.values.limit ?? 10_000 }),
      );
      print(call, answer);
      return 0;
    });
  },
};

function print({ json, io }: Call, { columns, rows, truncated }: SqlAnswer): void {
  if (json) writeJson(io.stdout, rows);
  else {
    const names = columns.map((column) => column.name);
    const cells = rows.map((row) => names.map((name) => row[name]));
    io.stdout.write(`${table(names, cells)}\n`);
  }
  if (truncated) io.stderr.write(`There are more rows than these ${rows.length}; --limit shows more.\n`);
}

async function statementOf({ positionals, io }: Call): Promise<string> {
  const [given] = positionals;
  const statement = given === '-' ? await readAll(io.stdin) : given;
  if (statement.trim() === '') throw new UsageError('the statement is empty');
  return statement;
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_SQL_BYTES) throw new UsageError(`a statement has at most ${MAX_SQL_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
