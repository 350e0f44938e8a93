import type { Facts } from '../../runtime/shard/derived.ts';
import type { Alert, Severity } from '../../codec/alerts.ts';
import type { DeviceAsset } from './columns.ts';
import { closeFaults, openFault } from './faults.ts';
import { AlertBit, Derate, Flag } from './flags.ts';
import { changeSide, type KnownAlert, readSide } from './side.ts';

const FAULT_NAME = /_f\d/;
const WARNING_NAME = /_[wa]\d/;
const PERMANENT_NAME = /PermanentlyFaulted/;

/** Severity as told, else as the name tells it: `POD_f029_…` is a fault, `…_w029_…` and `…_a010_…` are warnings. */
export function severityOf(name: string, told: Severity | null): Severity {
  if (told !== null) return told;
  if (PERMANENT_NAME.test(name)) return 'rma';
  if (FAULT_NAME.test(name)) return 'critical';
  return WARNING_NAME.test(name) ? 'performance' : 'informational';
}

const REGION_ALERTS: readonly (readonly [RegExp, number])[] = [
  [/_w110_|ChargeComplete$|(^|_)EOC$/, AlertBit.endOfCharge],
  [/_w105_|DischargeComplete$|(^|_)EOD$/, AlertBit.endOfDischarge],
  [/SelfConsumptionReservedLimit/, AlertBit.reserveLimit],
  [/WaitForSolar|JumpStart/, AlertBit.dormant],
  [/ScheduledIslandContactorOpen/, AlertBit.islandScheduled],
  [/GridResynchronizationFailed/, AlertBit.resyncFailed],
];

const DERATE_ALERTS: readonly (readonly [RegExp, number])[] = [
  [/_w110_|_w105_|ChargeComplete$/, Derate.socLimit],
  [/Thermal|OverTemp|HighTemp|OVER_TEMP/i, Derate.thermal],
  [/RealPowerConfigLimited/, Derate.powerConfig],
  [/RampRateLimited/, Derate.ramp],
  [/RealPowerAvailableLimited|PowerLimited/, Derate.derated],
  [/LowSoe|SelfConsumptionReservedLimit/i, Derate.lowSoe],
];

function bitsOf(name: string, table: readonly (readonly [RegExp, number])[]): number {
  let bits = 0;
  for (const [pattern, bit] of table) if (pattern.test(name)) bits |= bit;
  // The end of discharge ends in the words of the end of charge.
  return (bits & AlertBit.endOfDischarge) !== 0 && table === REGION_ALERTS ? bits & ~AlertBit.endOfCharge : bits;
}

/**
 * Takes the newest list of alerts. `enabling`: the unit is at work, so that an alert that is no longer listed is
 * gone; of a unit that is off it means nothing, and a fault stays open. Sets the bits that regions heed.
 */
export function foldAlerts(asset: DeviceAsset, list: readonly Alert[], t: number, enabling: boolean, out: Facts): void {
  const before = readSide(asset).alerts;
  const active = new Map<string, Severity>();
  const started = new Map<string, number>();
  for (const alert of list) {
    if (alert.endedAt !== null && alert.endedAt <= t) continue;
    const severity = severityOf(alert.name, alert.severity);
    const worst = active.get(alert.name);
    if (worst === undefined || rank(severity) > rank(worst)) active.set(alert.name, severity);
    if (alert.startedAt !== null && alert.startedAt <= t && !started.has(alert.name)) {
      started.set(alert.name, alert.startedAt);
    }
  }
  for (const alert of list) foldEnded(asset, alert, before, active, t, out);
  for (const [name, severity] of active) {
    if (severity === 'critical' || severity === 'rma') {
      openFault(asset, name, severity, 'alert', started.get(name) ?? t, t, out);
    }
  }
  if (enabling) closeFaults(asset, (f) => f.source === 'alert' && !active.has(f.code), t, 'cleared', out);
  const kept = enabling ? [] : before.filter((a) => a.endedAt === null && !list.some((b) => b.name === a.name));
  const after = [...list.map(({ name, startedAt, endedAt }) => ({ name, startedAt, endedAt })), ...kept].slice(0, 256);
  if (JSON.stringify(before) !== JSON.stringify(after)) changeSide(asset, { alerts: after });
  setBits(asset, active, kept);
}

/**
 * An alert that is told together with its end; it closes its fault, and is told again in later lists. One that has
 * begun anew since is another alert of that name: its fault stays.
 */
function foldEnded(
  asset: DeviceAsset,
  alert: Alert,
  before: readonly KnownAlert[],
  active: ReadonlyMap<string, Severity>,
  t: number,
  out: Facts,
): void {
  const { name, startedAt, endedAt } = alert;
  if (endedAt === null || endedAt > t) return;
  const severity = severityOf(name, alert.severity);
  if (severity !== 'critical' && severity !== 'rma') return;
  if (before.some((a) => a.name === name && a.startedAt === startedAt && a.endedAt === endedAt)) return;
  const known = readSide(asset).faults.find((f) => f.code === name);
  // What ended before the close that is known is a part of that incident, told late.
  if (known?.closed != null && endedAt <= known.closed) return;
  const isOpen = known?.closed === null;
  if (active.has(name) && (startedAt === null || (isOpen && endedAt <= known.reopened))) return;
  if (!isOpen && (startedAt === null || startedAt <= readSide(asset).forgottenTo)) return;
  if (!isOpen && startedAt !== null && startedAt <= endedAt)
    openFault(asset, name, severity, 'alert', startedAt, t, out);
  closeFaults(asset, (f) => f.code === name && f.source === 'alert', endedAt, 'cleared', out);
}

function setBits(asset: DeviceAsset, active: ReadonlyMap<string, Severity>, kept: readonly KnownAlert[]): void {
  let flags = asset.flags & ~Flag.warningAlert;
  let bits = asset.alertBits & (AlertBit.gridLost | AlertBit.throttled);
  let derates = 0;
  for (const severity of active.values()) {
    if (severity === 'rma') flags |= Flag.permanent;
    if (severity === 'performance' || severity === 'informational') flags |= Flag.warningAlert;
  }
  for (const { name } of kept) if (rank(severityOf(name, null)) < rank('critical')) flags |= Flag.warningAlert;
  for (const name of [...active.keys(), ...kept.map((a) => a.name)]) {
    bits |= bitsOf(name, REGION_ALERTS);
    derates |= bitsOf(name, DERATE_ALERTS);
  }
  if (flags !== asset.flags) asset.flags = flags;
  if (bits !== asset.alertBits) asset.alertBits = bits;
  if (derates !== asset.alertDerates) asset.alertDerates = derates;
}

function rank(severity: Severity): number {
  return ['informational', 'performance', 'critical', 'rma'].indexOf(severity);
}
