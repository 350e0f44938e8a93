import type { AuditReport } from '../../../cli/app-contract.ts';
import { tablesOf } from '../../../runtime/shard/derived.ts';
import type { DerivedEvent } from '../../../runtime/shard/derived.ts';
import { assetView } from '../../../runtime/system/view.ts';
import { compareRow } from '../../crash/rows.ts';
import { types } from '../../crash/types.ts';
import type { Differ, Refolded } from './refold.ts';

/** Where a process serves, and the token of its privileged doors. */
export interface DoorAddress {
  readonly name: string;
  readonly url: string;
  readonly token: string;
}

const ASK_WITHIN_MS = 30_000;
const ROWS = 100_000;

export async function ask<T>(door: DoorAddress, path: string, body?: object): Promise<T> {
  const answer = await fetch(door.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${door.token}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(ASK_WITHIN_MS),
  });
  if (!answer.ok) throw new Error(`${door.name} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** The state of every asset, site and region as a process shows it, whoever owns them; returns how many it shows. */
export async function compareViews(door: DoorAddress, refolded: readonly Refolded[], differ: Differ) {
  const expected = expectedViews(refolded);
  const shown = new Set<string>();
  for await (const [name, view] of shownBy(door)) {
    shown.add(name);
    for (const place of differing(plain(expected.get(name)), plain(view))) differ(`${name} at ${door.name}: ${place}`);
  }
  for (const name of expected.keys()) if (!shown.has(name)) differ(`${name} is not shown by ${door.name}`);
  return shown.size;
}

function expectedViews(refolded: readonly Refolded[]): Map<string, object> {
  const views = new Map<string, object>();
  for (const { fold } of refolded) {
    for (const id of fold.state.blockIds()) {
      const block = fold.state.block(id)!;
      const runtime = fold.kinds[Math.floor(id / fold.state.blocksPerKind)];
      for (let slot = 0; slot < block.count; slot++) {
        runtime.asset.attach(block, slot);
        const { kind, asset } = runtime;
        if (fold.type.name === 'device') views.set(`asset ${asset.serial}`, assetView(fold, runtime));
        else if (kind.name !== 'cabinet') {
          const summary = kind.summary!(asset) as { siteId?: string; region?: string };
          views.set(`${kind.name} ${summary.siteId ?? summary.region}`, summary);
        }
      }
    }
  }
  return views;
}

async function* shownBy(door: DoorAddress): AsyncGenerator<[name: string, view: object]> {
  for await (const view of pages<{ serial: string }>(door, '/v1/assets?limit=500'))
    yield [`asset ${view.serial}`, view];
  // Lists of places leave out who stands there.
  for await (const { siteId } of pages<{ siteId: string }>(door, '/v1/sites?limit=100')) {
    yield [`site ${siteId}`, await ask<object>(door, `/v1/sites/${encodeURIComponent(siteId)}`)];
  }
  for await (const { region } of pages<{ region: string }>(door, '/v1/regions?limit=100')) {
    yield [`region ${region}`, await ask<object>(door, `/v1/regions/${encodeURIComponent(region)}`)];
  }
}

async function* pages<T extends object>(door: DoorAddress, path: string): AsyncGenerator<T> {
  for (let next: string | null = path; next !== null; ) {
    const { items, cursor }: { items: T[]; cursor: string | null } = await ask(door, next);
    yield* items;
    next = cursor === null ? null : `${path}&cursor=${encodeURIComponent(cursor)}`;
  }
}

/** As JSON has it: without absent members. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

/** Where two values of JSON differ, as `path: expected, shown`. */
function* differing(a: unknown, b: unknown, path = ''): Generator<string> {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') {
    if (a !== b) yield `${path}: ${JSON.stringify(a)} expected, ${JSON.stringify(b)} shown`;
    return;
  }
  const [x, y] = [a, b] as Record<string, unknown>[];
  for (const name of new Set([...Object.keys(x), ...Object.keys(y)]))
    yield* differing(x[name], y[name], `${path}/${name}`);
}

interface Answer {
  readonly rows: readonly Record<string, unknown>[];
  readonly truncated: boolean;
}

/** Every row of a process's tables against its event, every event in exactly one row. */
export async function compareTables(door: DoorAddress, events: ReadonlyMap<string, DerivedEvent>, differ: Differ) {
  const seen = new Set<string>();
  for (const { table, columns } of tablesOf(types)) {
    const sql = `SELECT * FROM ${table} ORDER BY partition, "offset", ordinal`;
    const { rows, truncated } = await ask<Answer>(door, '/v1/sql', { sql, limit: ROWS });
    if (truncated) differ(`${door.name} ${table}: more than ${ROWS} rows`);
    for (const row of rows) {
      const id = String(row.event_id);
      const event = events.get(id);
      if (seen.has(id)) differ(`${door.name} ${table}: ${id} stands twice`);
      seen.add(id);
      if (event === undefined) differ(`${door.name} ${table}: row of ${id}, which is not in the log`);
      else compareRow(table, row, event, columns, (text) => differ(`${door.name} ${text}`));
    }
  }
  for (const id of events.keys()) if (!seen.has(id)) differ(`${door.name}: ${id} is in the log, and in no table`);
  const { ok, sinks } = await ask<AuditReport>(door, '/v1/audit');
  if (!ok) differ(`${door.name} audit: ${JSON.stringify(sinks)}`);
  return seen.size;
}
