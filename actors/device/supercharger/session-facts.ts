import type { Facts } from '../../../runtime/shard/derived.ts';
import { chargingSession } from '../facts.ts';
import { changeSide, readSide } from '../side.ts';
import type { ClosedBy, OpenedBy, SessionData, SessionSide } from './session-record.ts';
import type { SuperchargerAsset } from './state.ts';

const HOUR_MS = 3_600_000;
/** Share by which rounded times and registers may exceed what was offered. */
const ROUNDING = 1e-6;

const NO_SESSION: SessionSide = { open: null, closed: [], unended: null };

export function readSession(asset: SuperchargerAsset): SessionSide {
  return readSide(asset).session ?? NO_SESSION;
}

export function changeSession(asset: SuperchargerAsset, change: Partial<SessionSide>): void {
  changeSide(asset, { session: { ...readSession(asset), ...change } });
}

export function saySession(serial: string, data: SessionData, out: Facts): void {
  out.emit(chargingSession, `${serial}/${data.sessionId}`, data.startTime, { ...data });
}

/** The open session as it stands at `t`; with `closedBy`, as it ended then. */
export function sessionData(
  asset: SuperchargerAsset,
  { id, openedBy }: { readonly id: string; readonly openedBy: OpenedBy },
  t: number,
  closedBy: ClosedBy | null,
  stoppedReason: string | null,
): SessionData {
  const { sessionStart, sessionIdleSince, sessionMaxW, sessionOfferW } = asset;
  const energyWh = wattHours(asset.totalInWh - asset.sessionBaseWh);
  const offeredW = orNull(sessionOfferW);
  const maxW = orNull(sessionMaxW);
  return {
    sessionId: id,
    startTime: sessionStart,
    endTime: closedBy === null ? null : t,
    energyWh,
    maxW,
    ...meanOf(energyWh, t - sessionStart, offeredW),
    offeredW,
    limitedSeconds: asset.sessionLimitedMs / 1000,
    idleSeconds: sessionIdleSince === 0 ? 0 : (t - sessionIdleSince) / 1000,
    socFrom: orNull(asset.sessionSocFrom),
    socTo: Number.isNaN(asset.sessionSocFrom) ? null : orNull(asset.vehicleSoc),
    stoppedReason,
    openedBy,
    closedBy,
    seqGaps: asset.sessionSeqGaps,
  };
}

/** Mean power over the whole session, and whether that is more than the stall ever offered in it. */
export function meanOf(
  energyWh: number,
  lengthMs: number,
  offeredW: number | null,
): Pick<SessionData, 'meanW' | 'exceedsMaxPower'> {
  const meanW = lengthMs <= 0 ? null : (energyWh * HOUR_MS) / lengthMs;
  const exceedsMaxPower = meanW === null || offeredW === null ? null : meanW > offeredW * (1 + ROUNDING);
  return { meanW: meanW === null ? null : Math.round(meanW * 1000) / 1000, exceedsMaxPower };
}

/** Without the noise of binary fractions: a millionth of a Wh is the last digit. */
export function wattHours(wh: number): number {
  return Math.round(wh * 1e6) / 1e6;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
