import type { FaultRun } from './run-faults.ts';

/** A Markdown table: by fault, how often it was done and how long it took until everything was as it should be again. */
export function faultTable(runs: readonly FaultRun[]): string {
  const byFault = [...Map.groupBy(runs, ({ fault }) => fault)].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = byFault.map(([fault, list]) => {
    const settled = list.map(({ settledMs }) => settledMs).sort((a, b) => a - b);
    const wrong = list.filter(({ report }) => report.differences.length > 0).length;
    const fenced = list.reduce((sum, run) => sum + run.fenced, 0);
    const seconds = (ms: number) => (ms / 1_000).toFixed(1);
    return `| ${fault} | ${list.length} | ${wrong} | ${fenced} | ${seconds(settled[settled.length >> 1])} | ${seconds(settled.at(-1)!)} |`;
  });
  return [
    '| fault | runs | with a difference | commits refused | settled after, median s | longest s |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}
