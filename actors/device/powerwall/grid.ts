import type { Facts } from '../../../runtime/shard/derived.ts';
import type { DeviceAsset } from '../columns.ts';
import { gridEvent, iso } from '../facts.ts';
import { AlertBit } from '../flags.ts';
import { type BoundRegion, step } from '../region.ts';
import { changeSide, type Island, readSide } from '../side.ts';
import { GRID_STATUS, INVERTER_STATES } from './fields.ts';
import { gridRegion } from './grid.machine.ts';
import type { PowerwallAsset } from './state.ts';

const { table } = gridRegion;
const CONNECTED = table.eventIndex('gridConnected');
const ISLANDED_ACTIVE = table.eventIndex('islandedActive');
const TO_GRID = table.eventIndex('transitionToGrid');
const WAIT_FOR_SOLAR = table.eventIndex('waitForSolar');
const RESYNC_FAILED = table.eventIndex('resynchronizationFailed');
const UNKNOWN = table.stateIndex('unknown');
export const GRID_TIED = table.stateIndex('gridTied');
/** States in which the island stands and the battery feeds it. */
export const ISLAND_STATES = ['islanded', 'islandedReady', 'waitForSolar', 'waitForUser', 'microGridFaulted'].map((s) =>
  table.findState(s),
);

const NO_EVENT = 255;
/** Event of each word of `gridStatus`. */
const EVENTS = Uint8Array.from(
  [
    'gridConnected',
    'transitionToIsland',
    'islandedReady',
    'islandedActive',
    'transitionToGrid',
    'microGridFaulted',
    'waitForUser',
    'gridConnected',
    'islandedActive',
    'islandedActive',
    'islandedActive',
    '',
  ] as const,
  (name) => (name === '' ? NO_EVENT : table.eventIndex(name)),
);
const INTENTIONAL = GRID_STATUS.indexOf('off_grid_intentional');
const FORMING = INVERTER_STATES.indexOf('PINV_GridForming');
const FOLLOWING = INVERTER_STATES.indexOf('PINV_GridFollowing');

/** `status`, `inverterState`: what this reading says, NaN where it says nothing. */
export function foldGrid(
  asset: PowerwallAsset,
  region: BoundRegion,
  status: number,
  inverterState: number,
  t: number,
  out: Facts,
): void {
  const event = eventOf(asset, status, inverterState);
  const from = asset.grid;
  if (event === NO_EVENT || table.next(from, event) === from) {
    if (from !== GRID_TIED && from !== UNKNOWN) noteIntention(asset, out);
    return;
  }
  step(asset as unknown as DeviceAsset, region, event, t, Number.isNaN(status) ? 'inverter' : 'grid_status', out);
  const to = asset.grid;
  if (to === GRID_TIED) closeIsland(asset, t, out);
  else openIsland(asset, t, out);
}

/** The gateway's word decides; what an alert adds refines it, and the inverter speaks where no gateway does. */
function eventOf(asset: PowerwallAsset, status: number, inverterState: number): number {
  const alerts = asset.alertBits;
  if (!Number.isNaN(status)) {
    const event = EVENTS[status];
    if ((alerts & AlertBit.dormant) !== 0 && event === ISLANDED_ACTIVE) return WAIT_FOR_SOLAR;
    if ((alerts & AlertBit.resyncFailed) !== 0 && event === TO_GRID) return ISLANDED_ACTIVE;
    return event;
  }
  if ((alerts & AlertBit.dormant) !== 0 && ISLAND_STATES.includes(asset.grid)) return WAIT_FOR_SOLAR;
  if ((alerts & AlertBit.resyncFailed) !== 0) return RESYNC_FAILED;
  if (asset.gridStatus !== 255 || Number.isNaN(inverterState)) return NO_EVENT;
  return inverterState === FORMING ? ISLANDED_ACTIVE : inverterState === FOLLOWING ? CONNECTED : NO_EVENT;
}

function openIsland(asset: PowerwallAsset, t: number, out: Facts): void {
  if (readSide(asset).island !== null) {
    noteIntention(asset, out);
    return;
  }
  const island: Island = { from: t, outWh: asset.totalOutWh, soc: asset.soc, intentional: isIntentional(asset) };
  changeSide(asset, { island });
  sayOpen(asset, island, out);
}

function noteIntention(asset: PowerwallAsset, out: Facts): void {
  if (!isIntentional(asset)) return;
  const { island } = readSide(asset);
  if (island === null || island.intentional) return;
  const known = { ...island, intentional: true };
  changeSide(asset, { island: known });
  sayOpen(asset, known, out);
}

function isIntentional(asset: PowerwallAsset): boolean {
  return (asset.alertBits & AlertBit.islandScheduled) !== 0 || asset.gridStatus === INTENTIONAL;
}

function closeIsland(asset: PowerwallAsset, t: number, out: Facts): void {
  const { island } = readSide(asset);
  if (island === null) return;
  changeSide(asset, { island: null });
  out.emit(gridEvent, `${asset.serial}/${iso(island.from)}`, island.from, {
    fromTime: island.from,
    toTime: t,
    intentional: island.intentional,
    durationMs: t - island.from,
    energyServedWh: Math.round((asset.totalOutWh - island.outWh) * 1e6) / 1e6,
    socFrom: orNull(island.soc),
    socTo: orNull(asset.soc),
  });
}

/** States the time away from the grid that lasts. */
export function openGridEvent(asset: PowerwallAsset, out: Facts): void {
  if (asset.grid === GRID_TIED || asset.grid === UNKNOWN) return;
  const { island } = readSide(asset);
  if (island !== null) sayOpen(asset, island, out);
}

function sayOpen(asset: PowerwallAsset, island: Island, out: Facts): void {
  out.emit(gridEvent, `${asset.serial}/${iso(island.from)}`, island.from, {
    fromTime: island.from,
    toTime: null,
    intentional: island.intentional,
    durationMs: null,
    energyServedWh: null,
    socFrom: orNull(island.soc),
    socTo: null,
  });
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
