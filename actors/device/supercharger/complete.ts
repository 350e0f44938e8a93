import type { Reading } from '../../../runtime/shard/reading.ts';
import { superchargerFields } from './fields.ts';
import type { SuperchargerAsset } from './state.ts';

const at = (name: string) => superchargerFields.findIndex((f) => f.name === name);
const POWER = at('powerW');
const VEHICLE = at('vehicleW');
const DELIVERED = at('deliveredWh');
const ENERGY_IN = at('energyInWh');
const POWER_BIT = 1 << POWER;
const VEHICLE_BIT = 1 << VEHICLE;
const DELIVERED_BIT = 1 << DELIVERED;
const ENERGY_IN_BIT = 1 << ENERGY_IN;

/** Adds what follows from what is told: power from power into the vehicle and back, the ingoing counter from the register. */
export function completeReading(asset: SuperchargerAsset, reading: Reading): void {
  const { present } = reading;
  const tellsVehicle = (present & VEHICLE_BIT) !== 0;
  if (tellsVehicle !== ((present & POWER_BIT) !== 0)) {
    if (tellsVehicle) copyField(reading, VEHICLE, POWER, -1);
    else copyField(reading, POWER, VEHICLE, -1);
  }
  if ((present & DELIVERED_BIT) !== 0) copyField(reading, DELIVERED, ENERGY_IN, 1);
  // Two meters at once would count twice: the register of the stall goes first.
  else if (!Number.isNaN(asset.deliveredWh)) reading.present &= ~ENERGY_IN_BIT;
}

function copyField(reading: Reading, from: number, to: number, sign: number): void {
  reading.present |= 1 << to;
  const isInvalid = ((reading.invalid >>> from) & 1) !== 0;
  reading.invalid = isInvalid ? reading.invalid | (1 << to) : reading.invalid & ~(1 << to);
  reading.values[to] = sign * reading.values[from] + 0;
}

/** Where the counter refused the register as impossible, so does the register's own field. Call it after both are applied. */
export function settleRegister(asset: SuperchargerAsset, reading: Reading): void {
  const isRefused = (asset.invalidFields & ENERGY_IN_BIT) !== 0;
  if (!isRefused || (reading.present & ~reading.invalid & DELIVERED_BIT) === 0) return;
  asset.deliveredWh = asset.energyInWh;
  asset.invalidFields = (asset.invalidFields | DELIVERED_BIT) >>> 0;
}
