import { setTimeout as sleep } from 'node:timers/promises';
import type { SetDifference, SetView } from '../../api/http/reprocess.ts';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { type Answer, type Client, expectOk } from '../client.ts';
import { type Call, type Command, urlOption } from '../command.ts';
import { Delivery } from '../deliver.ts';
import { progressLine, tellRefused } from '../feed.ts';
import { openInput, readLines } from '../lines.ts';
import { count, printable, table, writeJson } from '../output.ts';
import { Progress } from '../progress.ts';
import { recordsOfLines } from '../records.ts';
import { withInstance } from '../target.ts';
import { UsageError } from '../usage-error.ts';

const POLL_MS = 200;
const PATH = '/v1/reprocess';
const actions = ['list', 'compare', 'cut-over', 'drop'] as const;
type Action = (typeof actions)[number];

export const reprocess: Command = {
  name: 'reprocess',
  summary: 'Folds the history once more into tables beside the live ones, and lets queries read these.',
  positionals: ['[list|compare|cut-over|drop]', '[NAME]'],
  runtimeOptions: ['dataDir', 'json', 'logLevel'],
  options: {
    ...urlOption,
    into: {
      type: 'text',
      value: 'NAME',
      doc: 'Set that is made, or gone on with: topics, tables and states of its own.',
    },
    from: {
      type: 'text',
      value: 'TIME',
      doc: 'Readings that the log accepted from then on: RFC 3339, epoch milliseconds, or "start" for all it holds.',
    },
    input: { type: 'text', value: 'FILE', doc: 'Records of a file in place of the log, as ingest reads them.' },
    back: { type: 'flag', doc: 'With cut-over: queries read the live tables again.' },
  },
  details: [
    'Returns when the set has caught up with the end that the input had when the command began, and shows what differs from the live tables. The running instance does the work and goes on to feed the set, until it is dropped; a set that was cut off goes on with the same command. See docs/reprocess.md.',
    'compare shows the differences again; cut-over lets queries read the set in place of the live tables, at once for all of them; drop removes a set.',
  ],
  examples: [
    { line: 'gridfold reprocess --from start --into v2', doc: 'All of the log, with the machines of this release.' },
    {
      line: 'gridfold reprocess compare v2',
      doc: 'What differs; gridfold sql reads it as v2.faults_current and so on.',
    },
    {
      line: 'gridfold reprocess cut-over v2',
      doc: 'faults, faults_current and all views are those of v2; --back undoes it.',
    },
    {
      line: 'gridfold reprocess --input lake.ndjson.gz --into lake',
      doc: 'From a file; more files by the same command.',
    },
  ],
  async run(call) {
    const [action, name] = call.positionals;
    if (action === undefined) return fold(call);
    if (!isAction(action)) throw new UsageError(`"${action}" is none of ${actions.join(', ')}`);
    if ((name === undefined) !== (action === 'list')) {
      throw new UsageError(`gridfold reprocess ${action} takes ${action === 'list' ? 'no name' : 'the NAME of a set'}`);
    }
    return withInstance(call, { create: false }, (client) => act(call, client, action, name));
  },
};

function isAction(text: string): text is Action {
  return (actions as readonly string[]).includes(text);
}

async function act(call: Call, client: Client, action: Action, name: string): Promise<number> {
  const { json, io } = call;
  const path = `${PATH}/${encodeURIComponent(name ?? '')}`;
  const told = (value: unknown, text: string) => (json ? writeJson(io.stdout, value) : io.stdout.write(`${text}\n`));
  switch (action) {
    case 'list': {
      const { items } = ok<{ items: SetView[] }>(await client.get(PATH));
      told(items, items.length === 0 ? 'There are no reprocessed sets.' : describeSets(items));
      return 0;
    }
    case 'compare': {
      const { tables } = ok<{ tables: SetDifference[] }>(await client.post(`${path}/compare`, {}));
      told(tables, describeDifference(name, tables));
      return 0;
    }
    case 'cut-over': {
      const back = call.values.back === true;
      const view = ok<SetView>(await client.post(`${path}/cut-over`, { back }));
      told(view, view.shown ? describeShown(view) : 'Queries read the live tables.');
      return 0;
    }
    case 'drop':
      told(ok(await client.post(`${path}/drop`, {})), `${name} is gone.`);
      return 0;
  }
}

async function fold(call: Call): Promise<number> {
  const { from, input, into } = call.values;
  if (into === undefined) throw new UsageError('--into NAME is missing: it names the set that is made');
  if ((from === undefined) === (input === undefined)) {
    throw new UsageError('one of --from TIME (the log) and --input FILE (records of a file) is needed');
  }
  const fromMs = from === undefined ? null : timeOf(String(from));
  const file = input === undefined ? null : String(input);
  return withInstance(call, { create: file !== null }, async (client) => {
    const name = String(into);
    const progress = new Progress(call.io);
    const path = `${PATH}/${encodeURIComponent(name)}`;
    ok(await client.post(PATH, { name, input: file === null ? 'log' : 'files', fromMs }));
    if (file !== null) await send(call, client, path, file, progress);
    await caughtUp(client, path, progress);
    const { tables } = ok<{ tables: SetDifference[] }>(await client.post(`${path}/compare`, {}));
    const view = ok<SetView>(await client.get(path));
    progress.end();
    if (call.json) writeJson(call.io.stdout, { set: view, tables, elapsedMs: Math.round(progress.elapsedMs) });
    else call.io.stdout.write(`${summary(view, progress.elapsedMs)}\n\n${describeDifference(name, tables)}\n`);
    return 0;
  });
}

async function send(call: Call, client: Client, path: string, file: string, progress: Progress): Promise<void> {
  const tick = (report: Parameters<typeof progressLine>[0]) =>
    progress.tick(() => progressLine(report, progress.elapsedMs));
  const delivery = new Delivery(client, tick, path);
  tellRefused(call, await delivery.run(recordsOfLines(readLines(openInput(file, call.io)))));
}

async function caughtUp(client: Client, path: string, progress: Progress): Promise<void> {
  for (;;) {
    const view = ok<SetView>(await client.get(path));
    if (view.status === 'following') return;
    if (view.status === 'failed') {
      throw new GridfoldError('reprocess_failed', 'stop', `The set cannot go on: ${view.error}`);
    }
    progress.tick(() => `${count(view.folded, 'record')} of ${view.total.toLocaleString('en-US')} folded`);
    await sleep(POLL_MS);
  }
}

/** Epoch milliseconds, null for the start. */
function timeOf(text: string): number | null {
  if (text === 'start') return null;
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(time) && !Number.isNaN(new Date(time).getTime())) return time;
  throw new UsageError(`--from must be an RFC 3339 time, epoch milliseconds or "start", not "${text}"`);
}

/** A process without tables has no door for this. */
function ok<T>(answer: Answer): T {
  const isNoDoor = answer.status === 404 && (answer.body as { code?: unknown } | null)?.code === 'not_found';
  if (!isNoDoor) return expectOk<T>(answer);
  throw new GridfoldError(
    'tables_off',
    'fix-configuration',
    'The instance keeps no tables (option `tables` is off), so nothing is reprocessed there: ask one that does.',
  );
}

function describeSets(sets: readonly SetView[]): string {
  const columns = ['set', 'input', 'from', 'status', 'folded', 'of', 'rows', 'queries read', 'error'];
  const rows = sets.map(({ name, input, from, status, folded, total, rows: n, shown, error }) => {
    const origin = input === 'files' ? '' : (from ?? 'start');
    return [name, input, origin, status, folded, total, n, shown ? 'this' : '', printable(error ?? '')];
  });
  return table(columns, rows);
}

function describeDifference(name: string, tables: readonly SetDifference[]): string {
  const differing = tables.filter(({ onlyLive, onlyOther, changed }) => onlyLive + onlyOther + changed > 0);
  const facts = tables.reduce((sum, { common }) => sum + common, 0);
  if (differing.length === 0) return `No differences: ${count(facts, 'current fact')} in both.`;
  const columns = ['table', 'in both', 'of these changed', 'only live', `only ${name}`];
  const rows = differing.map((t) => [t.table, t.common, t.changed, t.onlyLive, t.onlyOther]);
  const alike = tables.length - differing.length;
  return `${table(columns, rows)}\n\n${count(alike, 'table')} without differences; ${count(facts, 'current fact')} in both in all.`;
}

function describeShown({ name, input, since }: SetView): string {
  const before = since === null ? '' : ` Facts of before ${since} are those of the live tables.`;
  const feed = input === 'files' ? ' It grows only by files that are given to it.' : '';
  return `Queries read ${name}.${before}${feed} "gridfold reprocess cut-over ${name} --back" undoes it.`;
}

function summary({ name, folded, rows }: SetView, elapsedMs: number): string {
  return `${count(folded, 'record')} folded into ${name}, ${count(rows, 'derived event')}, ${(elapsedMs / 1_000).toFixed(1)} s`;
}
