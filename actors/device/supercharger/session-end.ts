import type { Facts } from '../../../runtime/shard/derived.ts';
import { changeSession, meanOf, readSession, saySession, sessionData, wattHours } from './session-facts.ts';
import type { ClosedBy, SessionData, SessionWord } from './session-record.ts';
import type { SuperchargerAsset } from './state.ts';

/** So many closed sessions are known by name, so that a message that is repeated does not open or state one anew. */
const KEPT_IDS = 2;

/** The end of a session, after everything else that its reading tells. Returns whether the open one closed. */
export function endSession(asset: SuperchargerAsset, word: SessionWord, t: number, out: Facts): boolean {
  const { open, closed, unended } = readSession(asset);
  const { id } = word;
  if (open !== null && (id === null || id === open.id)) {
    closeSession(asset, t, 'ended', word.stoppedReason, out);
    return true;
  }
  if (id === null) return false;
  if (id === unended?.data.sessionId) {
    const added = open === null ? asset.totalInWh - unended.totalInWh : 0;
    const endTime = open === null ? t : (unended.data.endTime as number);
    saySession(asset.serial, endedAfterAll(unended.data, added, endTime, word.stoppedReason), out);
    changeSession(asset, { unended: null });
  } else if (!closed.includes(id)) {
    sayOrphan(asset, word, id, open === null, t, out);
  }
  return false;
}

/** The status went to Available while a session was open: its end was missed. */
export function leaveSession(asset: SuperchargerAsset, t: number, out: Facts): void {
  closeSession(asset, t, 'available', null, out);
}

/** A session that was taken for over, and whose `Ended` comes after all. */
function endedAfterAll(data: SessionData, addedWh: number, endTime: number, stoppedReason: string | null): SessionData {
  const energyWh = wattHours(data.energyWh + addedWh);
  const { startTime, offeredW } = data;
  return {
    ...data,
    energyWh,
    endTime,
    stoppedReason,
    closedBy: 'ended',
    ...meanOf(energyWh, endTime - startTime, offeredW),
  };
}

/** An end whose start and course nobody told: what the register added since the reading before is its energy. */
function sayOrphan(
  asset: SuperchargerAsset,
  word: SessionWord,
  sessionId: string,
  alone: boolean,
  t: number,
  out: Facts,
): void {
  saySession(
    asset.serial,
    {
      sessionId,
      startTime: t,
      endTime: t,
      energyWh: alone ? wattHours(word.addedWh) : 0,
      maxW: null,
      meanW: null,
      offeredW: null,
      limitedSeconds: 0,
      idleSeconds: 0,
      socFrom: null,
      socTo: null,
      stoppedReason: word.stoppedReason,
      openedBy: 'ended',
      closedBy: 'ended',
      exceedsMaxPower: null,
      seqGaps: 0,
    },
    out,
  );
  changeSession(asset, { closed: withClosed(asset, sessionId) });
}

function withClosed(asset: SuperchargerAsset, id: string): readonly string[] {
  return [id, ...readSession(asset).closed].slice(0, KEPT_IDS);
}

export function closeSession(
  asset: SuperchargerAsset,
  t: number,
  closedBy: ClosedBy,
  stoppedReason: string | null,
  out: Facts,
): void {
  const { open } = readSession(asset);
  if (open === null) return;
  const data = sessionData(asset, open, t, closedBy, stoppedReason);
  sayUnended(asset, out);
  saySession(asset.serial, data, out);
  const unended = closedBy === 'ended' ? null : { data, totalInWh: asset.totalInWh };
  changeSession(asset, { open: null, closed: withClosed(asset, open.id), unended });
  asset.sessionStart = asset.sessionBaseWh = asset.sessionLimitedMs = asset.sessionIdleSince = 0;
  asset.sessionMaxW = asset.sessionOfferW = asset.sessionSocFrom = Number.NaN;
  asset.sessionSeq = asset.sessionSeqGaps = 0;
}

/**
 * The last word about a session that an `Ended` can no longer reach: whoever compares the facts of two pasts must find
 * it in both.
 */
function sayUnended(asset: SuperchargerAsset, out: Facts): void {
  const { unended } = readSession(asset);
  if (unended !== null) saySession(asset.serial, unended.data, out);
}

/** States the sessions that may still change. */
export function openSessions(asset: SuperchargerAsset, out: Facts): void {
  const { open } = readSession(asset);
  sayUnended(asset, out);
  if (open !== null) saySession(asset.serial, sessionData(asset, open, asset.lastDeviceTime, null, null), out);
}
