import type { FleetView } from '../../runtime/system/engine.ts';

/** One fleet of the parts that each process has. Energy comes from tables that hold all partitions, so it is not added. */
export function mergeFleets(parts: readonly FleetView[]): FleetView {
  const kinds: Record<string, FleetView['kinds'][string] & { status: Record<string, number> }> = {};
  for (const [kind, figures] of parts.flatMap((part) => Object.entries(part.kinds))) {
    kinds[kind] ??= { assets: 0, powerW: 0, energyTodayOutWh: 0, energyTodayInWh: 0, status: {} };
    const sums = kinds[kind];
    sums.assets += figures.assets;
    sums.powerW += figures.powerW;
    sums.energyTodayOutWh = Math.max(sums.energyTodayOutWh, figures.energyTodayOutWh);
    sums.energyTodayInWh = Math.max(sums.energyTodayInWh, figures.energyTodayInWh);
    for (const [status, n] of Object.entries(figures.status)) sums.status[status] = (sums.status[status] ?? 0) + n;
  }
  return { kinds, assets: parts.reduce((sum, part) => sum + part.assets, 0) };
}
