/** Share of the energy that one way through the inverter and the cells keeps. */
const ONE_WAY_EFFICIENCY = 0.95;
/** Above this charge the cells take less and less. */
const TAPER_FROM_SOC = 0.97;
const DEAD_BAND_W = 60;

export interface Battery {
  readonly capacityWh: number;
  readonly ratedW: number;
  /** Grid-tied it does not discharge below this. */
  readonly reserveSoc: number;
}

/** Power to hold for the next `hours`, + discharge: surplus in, need out, as far as charge and rating allow. */
export function batteryPower(
  battery: Battery,
  storedWh: number,
  needW: number,
  island: boolean,
  hours: number,
): number {
  if (!island && Math.abs(needW) < DEAD_BAND_W) return 0;
  return needW > 0
    ? Math.min(needW, dischargeableW(battery, storedWh, island, hours))
    : 0 - Math.min(-needW, chargeableW(battery, storedWh, hours));
}

export function chargeableW(battery: Battery, storedWh: number, hours: number): number {
  const taper = storedWh > TAPER_FROM_SOC * battery.capacityWh ? 0.3 : 1;
  const room = (battery.capacityWh - storedWh) / ONE_WAY_EFFICIENCY / hours;
  return wholeWatts(Math.min(taper * battery.ratedW, room));
}

export function dischargeableW(battery: Battery, storedWh: number, island: boolean, hours: number): number {
  const floorWh = island ? 0 : battery.reserveSoc * battery.capacityWh;
  return wholeWatts(Math.min(battery.ratedW, ((storedWh - floorWh) * ONE_WAY_EFFICIENCY) / hours));
}

/** Stored energy after holding a power for some hours; never empty beyond 0 nor full beyond the capacity. */
export function storedAfter(battery: Battery, storedWh: number, powerW: number, hours: number): number {
  const change = powerW > 0 ? (-powerW * hours) / ONE_WAY_EFFICIENCY : -powerW * hours * ONE_WAY_EFFICIENCY;
  return Math.min(battery.capacityWh, Math.max(0, storedWh + change));
}

const wholeWatts = (watts: number) => Math.max(0, Math.floor(watts));
