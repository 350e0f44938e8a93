/** Name and version of the machine of each kind: raised when its fold, its regions or its state change. */
export const machineNames = {
  powerwall: 'powerwall@2',
  inverter: 'inverter@2',
  megapack: 'megapack@1',
  supercharger: 'supercharger@1',
} as const;
