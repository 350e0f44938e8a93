import { REASONS } from '../codec/reasons.ts';
import { closeCodes, defaultLimits } from '../api/live/protocol.ts';
import { createMetrics } from '../runtime/system/metrics.ts';
import { commonColumns, factSections, viewSections } from './docs-dictionary.ts';
import { costOfFields } from './docs-memory.ts';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

function metricsTable(): string {
  const metrics = createMetrics({ version: '0', processMetrics: false });
  metrics.observe({ status: () => ({ ready: true, partitions: [], sinks: [] }) });
  metrics.observeSchemas(() => ({ state: 'up', requests: 0, failures: 0, known: 0, unknown: 0, waiting: 0 }));
  const all = (metrics.registry as unknown as { getMetricsAsArray(): Metric[] }).getMetricsAsArray();
  const rows = all.map(({ name, type, labelNames, help }) => {
    const labels = labelNames.map((label) => `\`${label}\``).join(' ');
    return `| \`${name}\` | ${type} | ${labels} | ${help} |`;
  });
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function reasonsTable(): string {
  const rows = REASONS.slice(1).map(({ code, doc }) => `| \`${code}\` | ${doc} |`);
  return ['| reason | meaning |', '|---|---|', ...rows].join('\n');
}

function closeCodesTable(): string {
  const rows = Object.values(closeCodes).map(({ code, doc }) => `| ${code} | ${doc} |`);
  return ['| code | meaning |', '|---|---|', ...rows].join('\n');
}

function limitsTable(): string {
  const rows = Object.entries(defaultLimits).map(([name, value]) => `| \`${name}\` | ${value} |`);
  return ['| limit | value |', '|---|---|', ...rows].join('\n');
}

const tables: Readonly<Record<string, () => string>> = {
  metrics: metricsTable,
  reasons: reasonsTable,
  'close codes': closeCodesTable,
  'live limits': limitsTable,
  'columns of every table': commonColumns,
  'tables of facts': factSections,
  'views over the facts': viewSections,
  'cost of fields': costOfFields,
};

/** The page with every table between `<!-- made: NAME -->` and `<!-- end -->` made anew from the code. */
export function withTables(page: string): string {
  return page.replace(/(<!-- made: ([a-z ]+) -->\n)[\s\S]*?(<!-- end -->)/g, (_all, begin, name, end) => {
    const table = tables[name];
    if (table === undefined) throw new Error(`no table is called ${name}`);
    return `${begin}\n${table()}\n\n${end}`;
  });
}

/** Pages that hold such tables, beside options.md, which is made as a whole. */
export const pagesWithTables = ['operate.md', 'live.md', 'tables.md', 'bench.md'] as const;
