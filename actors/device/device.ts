import type { AssetConfig } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import { applyFields, type FieldPlan, planFields } from '../../runtime/shard/fields.ts';
import type { FieldSpec, Reading } from '../../runtime/shard/reading.ts';
import type { StateSchema } from '../../snapshots/schema.ts';
import { dayTurn, foldAvailability, openAvailability } from './availability.ts';
import type { DeviceAsset } from './columns.ts';
import { connectivityRegion } from './connectivity.machine.ts';
import { openDerates } from './derates.ts';
import { foldEnergy } from './energy.ts';
import { openRows } from './energy-rows.ts';
import type { EnergyPlan } from './energy-turn.ts';
import { foldFirmware } from './extras.ts';
import { dataGap, iso } from './facts.ts';
import { forgetFaults, openFaults } from './faults.ts';
import { Flag } from './flags.ts';
import { healthRegion } from './health.machine.ts';
import { BoundRegion, openInterval } from './region.ts';
import { endSilence, firstContact, heardFrom, ONLINE, silentGap, staleAfter } from './silence.ts';

/** What the shared parts of the fold know of a kind. */
export interface DevicePlan {
  readonly fields: FieldPlan;
  readonly energy: EnergyPlan;
  readonly connectivity: BoundRegion;
  readonly health: BoundRegion;
  /** Further regions, in the order in which they are stated. */
  readonly regions: readonly BoundRegion[];
  /** Fields that measure something. */
  readonly measures: number;
  /** Fields whose valid report is evidence of a unit that works, whatever it measures. */
  readonly evidence: number;
  /** States of operation, as bits, in which a sound unit rests because the sun does. */
  readonly nightStates: number;
  readonly heartbeat: number;
  readonly heartbeatBit: number;
}

const NOT_MEASURES = new Set(['heartbeat', 'stateCode', 'errorCode', 'reserveSoc']);
const EVIDENCE = new Set(['stateCode', 'errorCode']);

export function planDevice(
  schema: StateSchema,
  specs: readonly FieldSpec[],
  regions: readonly BoundRegion[],
  maxPowerW: number,
  inName = 'energyInWh',
): DevicePlan {
  const fields = planFields(schema, specs);
  const hasDay = specs.some((f) => f.name === 'energyDayWh');
  const at = (name: string) => specs.findIndex((f) => f.name === name);
  const mask = (which: (f: FieldSpec) => boolean) => specs.reduce((m, f, i) => (which(f) ? m | (1 << i) : m), 0);
  return {
    fields,
    energy: {
      power: at('powerW'),
      powerBit: fields.bit('powerW'),
      out: at('energyOutWh'),
      outBit: fields.bit('energyOutWh'),
      in: at('energyInWh'),
      inBit: fields.bit('energyInWh'),
      inName,
      day: hasDay ? at('energyDayWh') : -1,
      dayBit: hasDay ? fields.bit('energyDayWh') : 0,
      dayColumn: hasDay ? schema.index('energyDayWh') : -1,
      dayAtColumn: hasDay ? schema.index('energyDayWhAt') : -1,
      dayOwnerColumn: hasDay ? schema.index('energyDayOwner') : -1,
      maxPowerW,
    },
    connectivity: new BoundRegion(schema, connectivityRegion),
    health: new BoundRegion(schema, healthRegion),
    regions,
    measures: mask((f) => f.type === 'number' && !NOT_MEASURES.has(f.name)),
    evidence: mask((f) => f.type === 'enum' || EVIDENCE.has(f.name)),
    nightStates: 0,
    heartbeat: at('heartbeat'),
    heartbeatBit: fields.bit('heartbeat'),
  };
}

/** True for a reading whose every measurement is reported invalid, and which says nothing else. */
export function allInvalid(reading: Reading, plan: DevicePlan): boolean {
  const { present, invalid } = reading;
  return (
    (invalid & plan.measures) !== 0 &&
    (present & ~invalid & (plan.measures | plan.evidence)) === 0 &&
    reading.extra === null
  );
}

/** What stands before the first reading: contact, and the regions in the state they begin with. */
export function begin(asset: DeviceAsset, t: number, plan: DevicePlan, out: Facts): void {
  asset.firstAt = t;
  firstContact(asset, plan.connectivity, t, out);
  openInterval(asset, plan.health, out);
  for (const region of plan.regions) openInterval(asset, region, out);
}

/**
 * The part of a turn that all kinds share: the distance to the reading before, void readings, energy, fields.
 * `voided`: the reading measures nothing; of its fields only those in `kept` are applied.
 */
export function foldShared(
  asset: DeviceAsset,
  reading: Reading,
  plan: DevicePlan,
  config: AssetConfig,
  voided: boolean,
  kept: number,
  out: Facts,
): void {
  const t = reading.deviceTime;
  const last = asset.lastDeviceTime;
  if (last === 0) {
    dayTurn.ended = false;
    begin(asset, t, plan, out);
  } else {
    const silent = t - last > staleAfter(config);
    foldAvailability(asset, last, t, silent, plan.nightStates, config.timeZone, out);
    if (silent) {
      endSilence(asset, plan.connectivity, t, config, out);
      if (asset.operationPending !== 0) asset.operationPending = 0;
    }
  }
  const beats = !voided && (reading.present & ~reading.invalid & plan.heartbeatBit) !== 0;
  if (beats || asset.connectivity !== ONLINE || asset.heartbeatAt !== 0) {
    heardFrom(asset, plan.connectivity, t, beats ? reading.values[plan.heartbeat] : Number.NaN, config, out);
  }
  if (voided) beginVoid(asset, t, out);
  else if (asset.voidSince !== 0) endVoid(asset, t, out);
  const refused = foldEnergy(asset, reading, plan.energy, config, voided, out);
  applyReading(asset, reading, plan, voided, kept, refused);
  if (!voided && reading.extra !== null) foldFirmware(asset, reading.extra, last, t, out);
  if ((asset.flags & Flag.faultRecent) !== 0) forgetFaults(asset, t, out);
}

function beginVoid(asset: DeviceAsset, t: number, out: Facts): void {
  if (asset.operationPending !== 0) asset.operationPending = 0;
  if (asset.voidSince !== 0) return;
  asset.voidSince = t;
  sayVoid(asset, t, null, out);
}

function endVoid(asset: DeviceAsset, t: number, out: Facts): void {
  sayVoid(asset, asset.voidSince, t, out);
  asset.voidSince = 0;
}

function sayVoid(asset: DeviceAsset, fromTime: number, toTime: number | null, out: Facts): void {
  out.emit(dataGap, `${asset.serial}/${iso(fromTime)}/zeros`, fromTime, { fromTime, toTime, class: 'zeros' });
}

/**
 * Merges the fields. Energy fields keep the time of their last valid report, since that is where a counter goes on
 * from; of a void reading only the fields in `kept` are applied.
 */
function applyReading(
  asset: DeviceAsset,
  reading: Reading,
  plan: DevicePlan,
  voided: boolean,
  kept: number,
  refused: number,
): void {
  const { present, invalid } = reading;
  const { powerBit, outBit, inBit, dayBit } = plan.energy;
  if (voided) reading.present = present & (kept | invalid);
  if ((invalid | refused) !== 0) {
    reading.invalid = invalid | refused;
    reading.present &= ~((invalid | refused) & (powerBit | outBit | inBit | dayBit));
  }
  applyFields(asset, reading, plan.fields);
  reading.present = present;
  reading.invalid = invalid;
  asset.lastDeviceTime = reading.deviceTime;
  asset.lastReceiveTime = reading.receiveTime;
}

/** States everything that is open in the parts that all kinds share. */
export function openShared(asset: DeviceAsset, plan: DevicePlan, config: AssetConfig, out: Facts): void {
  if (asset.lastDeviceTime === 0) return;
  openInterval(asset, plan.connectivity, out);
  openInterval(asset, plan.health, out);
  for (const region of plan.regions) openInterval(asset, region, out);
  if (asset.quiet !== 0) silentGap(asset, null, out);
  if (asset.voidSince !== 0) sayVoid(asset, asset.voidSince, null, out);
  openFaults(asset, out);
  openDerates(asset, out);
  openRows(asset, plan.energy, out);
  openAvailability(asset, config, out);
}
