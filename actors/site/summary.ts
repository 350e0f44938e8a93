import { isoTime as iso } from '../../runtime/kernel/iso.ts';
import { dataGap } from '../device/facts.ts';
import { siteGridEvent, slotConflict } from './facts.ts';
import { operationAt } from './members.ts';
import { minuteOf, rollupAt, type Standing, standingAt, toldOf } from './rollup.ts';
import type { PlaceSide } from './state.ts';

/** What `GET /v1/sites/{siteId}` answers: the site as of the newest time that a member told, and its members. */
export function siteSummary(siteId: string, side: PlaceSide): object {
  const minute = minuteOf(side.clock);
  const open = (type: string) => side.said.filter((fact) => fact.type === type && fact.until === null);
  return {
    siteId,
    asOf: side.clock === 0 ? null : iso(side.clock),
    totals: { ...rollupAt(side, minute), minute: iso(minute * 60_000) },
    grid: open(siteGridEvent.name).length > 0 ? 'islanded' : 'tied',
    gatewaySilentSince: open(dataGap.name).map(({ eventTime }) => iso(eventTime))[0] ?? null,
    slotConflicts: open(slotConflict.name).map(({ eventTime, data }) => ({ ...data, fromTime: iso(eventTime) })),
    members: standingAt(side, minute).map((one) => memberSummary(one, side.clock)),
    beyondHorizon: side.refused,
  };
}

function memberSummary(one: Standing, clock: number): object {
  const { stay, member, row } = one;
  const state = member === null ? null : operationAt(member, clock + 1);
  const value = (name: string) => (Number.isNaN(toldOf(one, name)) ? null : toldOf(one, name));
  return {
    serial: stay.serial,
    kind: stay.kind,
    slot: stay.slot,
    since: iso(stay.from),
    operation: state,
    fresh: one.fresh,
    lastDeviceTime: row === null ? null : iso(row.rows[row.at] * 60_000 + row.rows[row.at + 2]),
    powerW: value('powerW'),
    soc: value('soc'),
  };
}
