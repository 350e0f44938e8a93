/** Values of a member that the actors of its place keep, by kind of member; the order is that of its rows. Sites are members of regions. */
export const memberFields: Readonly<Record<string, readonly string[]>> = {
  powerwall: [
    'powerW',
    'soc',
    'energyRemainingWh',
    'energyFullWh',
    'availableChargeW',
    'availableDischargeW',
    'siteW',
    'loadW',
    'solarW',
  ],
  megapack: ['powerW', 'soc', 'availableChargeW', 'availableDischargeW', 'setpointW'],
  inverter: ['powerW'],
  supercharger: ['powerW', 'offeredW', 'requestedW'],
  site: [
    'membersExpected',
    'membersFresh',
    'oldestAgeMs',
    'powerW',
    'powerMinW',
    'powerMaxW',
    'batteryW',
    'solarW',
    'chargingW',
    'loadW',
    'gridW',
    'setpointW',
    'availableChargeW',
    'availableDischargeW',
    'energyRemainingWh',
    'capacityWh',
    'soc',
    'faultsOpen',
  ],
};

/** Numbers of a row before its values. */
export const HEAD = 4;

const places = new Map<string, ReadonlyMap<string, number>>(
  Object.entries(memberFields).map(([kind, names]) => [kind, new Map(names.map((name, i) => [name, HEAD + i]))]),
);

/** Distance of a field from the start of a row of a member; -1 where the kind does not tell it. */
export function fieldPlace(kind: string, name: string): number {
  return places.get(kind)?.get(name) ?? -1;
}

export const METERS = ['siteW', 'loadW', 'solarW'] as const;

export function isBattery(kind: string): boolean {
  return kind === 'powerwall' || kind === 'megapack';
}
