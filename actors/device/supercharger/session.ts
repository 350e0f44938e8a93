import type { Facts } from '../../../runtime/shard/derived.ts';
import { iso } from '../facts.ts';
import { readSide } from '../side.ts';
import { SESSION_EVENTS } from './fields.ts';
import { FINISHING, isInSession, SUSPENDED_EV, SUSPENDED_EVSE } from './operation.ts';
import { changeSession, meanOf, readSession, saySession, sessionData, wattHours } from './session-facts.ts';
import type { ClosedBy, OpenedBy, SessionData } from './session-record.ts';
import type { SuperchargerAsset } from './state.ts';

/** Power below which a vehicle takes nothing but its own small losses, W. */
export const IDLE_W = 50;

/** So many closed sessions are known by name, so that a message that is repeated does not open or state one anew. */
const KEPT_IDS = 2;

export const STARTED = SESSION_EVENTS.indexOf('Started');
export const ENDED = SESSION_EVENTS.indexOf('Ended');

/** What a reading says about its session. */
export interface SessionWord {
  /** Index in SESSION_EVENTS, NaN where it tells none. */
  event: number;
  /** The id that it tells, or null. */
  id: string | null;
  stoppedReason: string | null;
  /** NaN where it tells none. */
  seqNo: number;
  /** It says, or nothing since, that the stall is free. */
  isFree: boolean;
  /** Energy into the asset that this reading added, Wh. */
  addedWh: number;
}

/** The start of a session, told or seen; before the reading's status. Returns whether one was closed or opened. */
export function beginSession(asset: SuperchargerAsset, word: SessionWord, t: number, out: Facts): boolean {
  const { event } = word;
  if (event === ENDED || (event !== STARTED && word.id === null)) return false;
  const { open, closed } = readSession(asset);
  const id = word.id ?? unnamed(asset, closed, t);
  if (id === open?.id) {
    if (event === STARTED && asset.sessionStart === t && open.openedBy !== 'started')
      changeSession(asset, { open: { id, openedBy: 'started' } });
    return false;
  }
  if (closed.includes(id)) return false;
  // A stall that is free and tells an id still tells the old one.
  if (Number.isNaN(event) && word.isFree) return false;
  if (open !== null) closeSession(asset, t, 'next', null, out);
  openSession(asset, id, event === STARTED ? 'started' : 'seen', t);
  return true;
}

/** A start that names no session has the id that was told before it, else its time. */
function unnamed(asset: SuperchargerAsset, closed: readonly string[], t: number): string {
  const told = readSide(asset).extra.find((e) => e[0] === 'sessionId')?.[1];
  return typeof told === 'string' && told !== '' && !closed.includes(told) ? told : iso(t);
}

function openSession(asset: SuperchargerAsset, id: string, openedBy: OpenedBy, t: number): void {
  changeSession(asset, { open: { id, openedBy } });
  asset.sessionStart = t;
  asset.sessionBaseWh = asset.totalInWh;
}

/** What a reading of the open session measures; after its status. */
export function trackSession(
  asset: SuperchargerAsset,
  word: SessionWord,
  vehicleW: number,
  vehicleSoc: number,
  t: number,
): void {
  if (asset.sessionStart === 0) return;
  if (!Number.isNaN(vehicleW) && !(vehicleW <= asset.sessionMaxW)) asset.sessionMaxW = vehicleW;
  const { offeredW } = asset;
  if (!Number.isNaN(offeredW) && !(offeredW <= asset.sessionOfferW)) asset.sessionOfferW = offeredW;
  if (Number.isNaN(asset.sessionSocFrom) && !Number.isNaN(vehicleSoc)) asset.sessionSocFrom = vehicleSoc;
  if (!Number.isNaN(word.seqNo) && isOfSession(asset, word.id)) countSequence(asset, word.seqNo);
  const idle = isIdle(asset);
  if (idle !== (asset.sessionIdleSince !== 0)) asset.sessionIdleSince = idle ? t : 0;
}

function isOfSession(asset: SuperchargerAsset, id: string | null): boolean {
  return id === null || id === readSession(asset).open?.id;
}

/** A stall numbers the messages of each transaction from 0, or goes on counting from one to the next: both have no holes. */
function countSequence(asset: SuperchargerAsset, seqNo: number): void {
  const next = asset.sessionSeq;
  if (next !== 0 && seqNo > next) asset.sessionSeqGaps += seqNo - next;
  if (seqNo >= next) asset.sessionSeq = seqNo + 1;
}

/** The vehicle is connected and takes nothing, by its own doing. The status says it; where none does, the power. */
function isIdle(asset: SuperchargerAsset): boolean {
  const { operation } = asset;
  if (operation === SUSPENDED_EV || operation === FINISHING) return true;
  if (operation === SUSPENDED_EVSE) return false;
  const rests = asset.vehicleW <= IDLE_W;
  return isInSession(operation) ? rests && asset.vehicleSoc >= 1 : rests && asset.sessionMaxW > IDLE_W;
}

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

function closeSession(
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
