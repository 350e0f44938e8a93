import type { Facts } from '../../../runtime/shard/derived.ts';
import { iso } from '../facts.ts';
import { readSide } from '../side.ts';
import { SESSION_EVENTS } from './fields.ts';
import { FINISHING, isInSession, SUSPENDED_EV, SUSPENDED_EVSE } from './operation.ts';
import { closeSession } from './session-end.ts';
import { changeSession, readSession } from './session-facts.ts';
import type { OpenedBy, SessionWord } from './session-record.ts';
import type { SuperchargerAsset } from './state.ts';

/** Power below which a vehicle takes nothing but its own small losses, W. */
export const IDLE_W = 50;

export const STARTED = SESSION_EVENTS.indexOf('Started');
export const ENDED = SESSION_EVENTS.indexOf('Ended');

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
