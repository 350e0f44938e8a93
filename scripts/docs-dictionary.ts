import { deviceType } from '../actors/device/index.ts';
import { siteType } from '../actors/site/index.ts';
import { type DictionaryRow, dictionaryOf, fixedRows, joinedMeaning } from '../actors/sinks/duckdb/dictionary.ts';
import { fixedColumns, planTable } from '../actors/sinks/duckdb/schema.ts';
import { tablesOf } from '../runtime/shard/derived.ts';

const plans = tablesOf([deviceType, siteType]).map(planTable);
const tables = Map.groupBy(dictionaryOf(plans), (row) => row.table);
const views = plans.map((plan) => `${plan.table}_current`);
const facts = new Set([...plans.map((plan) => plan.table), ...views]);

/** Columns that every table has and the ones that every view has besides, once for all. */
export function commonColumns(): string {
  const joined = Object.entries(joinedMeaning).map(([name, { type, meaning }]) =>
    line([`\`${name}\``, type, `${meaning} (views only)`]),
  );
  const fixed = fixedRows.map((row) => line([`\`${row.column}\``, row.type, row.meaning]));
  return [line(['column', 'type', 'meaning']), '|---|---|---|', ...fixed, ...joined].join('\n');
}

/** A section for each type of fact: its own columns, as its `_current` view has them. */
export function factSections(): string {
  const common = new Set([...Object.keys(fixedColumns), ...Object.keys(joinedMeaning)]);
  const ofType = (row: DictionaryRow, own: ReadonlySet<string>) =>
    !common.has(row.column ?? '') || own.has(row.column ?? '');
  return plans
    .map((plan) => {
      const [head, ...columns] = tables.get(`${plan.table}_current`) ?? [];
      const own = new Set(plan.columns.filter((c) => c.data !== null).map((c) => c.name));
      return section(
        plan.table,
        head,
        columns.filter((row) => ofType(row, own)),
      );
    })
    .join('\n\n');
}

/** A section for each view over the facts. */
export function viewSections(): string {
  return [...tables]
    .filter(([name]) => !facts.has(name))
    .map(([name, [head, ...columns]]) => {
      const about = `From: ${head.source}. ${head.retraction}`;
      const given = columns.filter((c) => c.meaning.startsWith('Parameter.')).map((c) => c.column);
      const title = head.type === 'view' ? name : `${name}(${given.join(', ')})`;
      return section(title, head, columns, about);
    })
    .join('\n\n');
}

function section(title: string, head: DictionaryRow, columns: readonly DictionaryRow[], about?: string): string {
  const rows = columns.map((row) => {
    const formula = row.formula === null ? '' : `; ${row.formula}`;
    return line([`\`${row.column}\``, row.type, row.unit ?? '', `${row.meaning}${formula}`]);
  });
  const text = [`### ${title}`, '', `${head.meaning}`, '', `One row: ${head.grain}.`];
  if (about !== undefined) text.push('', about);
  return [...text, '', line(['column', 'type', 'unit', 'meaning']), '|---|---|---|---|', ...rows].join('\n');
}

function line(cells: readonly string[]): string {
  const escaped = cells.map((cell) => cell.replace('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ').replaceAll('|', '\\|'));
  return `| ${escaped.join(' | ')} |`;
}
