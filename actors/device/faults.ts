import type { Facts } from '../../runtime/shard/derived.ts';
import type { DeviceAsset } from './columns.ts';
import { fault, iso } from './facts.ts';
import { Flag } from './flags.ts';
import { type FaultRecord, changeSide, readSide } from './side.ts';

/** A fault that comes back within this time of its close is the same incident. */
const SAME_INCIDENT_MS = 24 * 3_600_000;

/**
 * Opens a fault, or reopens the incident. An open one stays as it is: it keeps the code it opened with. `at` is when the
 * device says it began, `t` the time of the reading.
 */
export function openFault(
  asset: DeviceAsset,
  code: string,
  severity: string,
  source: FaultRecord['source'],
  at: number,
  t: number,
  out: Facts,
): void {
  const { faults, forgottenTo } = readSide(asset);
  const opened = at > forgottenTo ? at : t;
  const known = faults.find((f) => f.code === code);
  if (known !== undefined && known.closed === null) return;
  let record: FaultRecord = {
    code,
    severity,
    source,
    opened,
    reopened: opened,
    closed: null,
    closedBy: null,
    recurrence: 0,
  };
  if (known?.closed != null) {
    if (opened - known.closed <= SAME_INCIDENT_MS) {
      record = { ...record, opened: known.opened, recurrence: known.recurrence + 1 };
    } else {
      sayFault(asset.serial, known, out);
      changeSide(asset, { forgottenTo: Math.max(forgottenTo, known.closed) });
    }
  }
  replaceFaults(asset, [...faults.filter((f) => f !== known), record]);
  sayFault(asset.serial, record, out);
}

/** Closes what `which` picks of the open faults. `at` may be earlier than the reading that tells. */
export function closeFaults(
  asset: DeviceAsset,
  which: (open: FaultRecord) => boolean,
  at: number,
  closedBy: string,
  out: Facts,
): void {
  const { faults } = readSide(asset);
  let changed = false;
  const after = faults.map((f) => {
    if (f.closed !== null || !which(f)) return f;
    changed = true;
    const closed: FaultRecord = { ...f, closed: Math.max(at, f.reopened), closedBy };
    sayFault(asset.serial, closed, out);
    return closed;
  });
  if (changed) replaceFaults(asset, after);
}

/**
 * Forgets faults that can no longer come back as the same incident. Their last word is stated once more: whoever
 * compares the facts of two pasts must find it in both.
 */
export function forgetFaults(asset: DeviceAsset, t: number, out: Facts): void {
  const { faults } = readSide(asset);
  const kept = faults.filter((f) => f.closed === null || t - f.closed <= SAME_INCIDENT_MS);
  if (kept.length === faults.length) return;
  let { forgottenTo } = readSide(asset);
  for (const f of faults) {
    if (kept.includes(f)) continue;
    sayFault(asset.serial, f, out);
    forgottenTo = Math.max(forgottenTo, f.closed ?? 0);
  }
  changeSide(asset, { forgottenTo });
  replaceFaults(asset, kept);
}

/** States every fault that may still change. */
export function openFaults(asset: DeviceAsset, out: Facts): void {
  if ((asset.flags & (Flag.faultOpen | Flag.faultRecent)) === 0) return;
  for (const f of readSide(asset).faults) sayFault(asset.serial, f, out);
}

function replaceFaults(asset: DeviceAsset, faults: readonly FaultRecord[]): void {
  changeSide(asset, { faults });
  let flags = asset.flags & ~(Flag.faultOpen | Flag.faultRecent | Flag.stateFault);
  for (const f of faults) {
    if (f.closed !== null) flags |= Flag.faultRecent;
    else flags |= f.source === 'state' ? Flag.faultOpen | Flag.stateFault : Flag.faultOpen;
  }
  asset.flags = flags;
}

function sayFault(serial: string, f: FaultRecord, out: Facts): void {
  out.emit(fault, `${serial}/${f.code}/${iso(f.opened)}`, f.opened, {
    code: f.code,
    severity: f.severity,
    openedTime: f.opened,
    closedTime: f.closed,
    recurrence: f.recurrence,
    closedBy: f.closedBy,
  });
}
