import type { FieldSpec } from '../../../runtime/shard/reading.ts';
import { commonFields, number, words } from '../fields.ts';

const fraction = { min: 0, max: 1 };
/** More than any unit is rated for, by far. */
const available = { min: 0, max: 1e8 };
const strings = { min: 0, max: 100_000 };
/** No cell of any chemistry has more. */
const cell = { min: 0, max: 10 };

/** SunSpec model 802, point `State`. */
export const STATES = [
  'DISCONNECTED',
  'INITIALIZING',
  'CONNECTED',
  'STANDBY',
  'SOC_PROTECTION',
  'SUSPENDING',
  'FAULT',
] as const;

/** Their numbers. */
const STATE_CODES = [1, 2, 3, 4, 5, 6, 99];

/** SunSpec models 124 and 802, point `ChaSt`. */
export const CHARGE_STATES = ['OFF', 'EMPTY', 'DISCHARGING', 'CHARGING', 'FULL', 'HOLDING', 'TESTING'] as const;
/** Their numbers. */
const CHARGE_STATE_CODES = [1, 2, 3, 4, 5, 6, 7];

/** What decides the power, as site controllers name it; then other names for the same. */
export const CONTROL_MODES = [
  'Local',
  'RealPowerDispatch',
  'FCR',
  'SoCControl',
  'AutoBidder',
  'GridForming',
  'Manual',
  'Droop',
  'SiteControl',
  'Island',
  'BlackStart',
  'Real Power Dispatch',
  'State-of-Charge control',
] as const;

export const megapackFields: readonly FieldSpec[] = [
  ...commonFields,
  number('setpointW', 'W', 'Power that is commanded, + leaves the asset, - flows in', { min: -1e8, max: 1e8 }),
  number('soc', '', 'State of charge', fraction),
  number('soh', '', 'State of health: share of the energy that the unit held when it was new', fraction),
  { ...words('state', 'State of the battery (SunSpec 802 State), by word or number', STATES), codes: STATE_CODES },
  {
    ...words('chargeState', 'What the charge does (SunSpec 802 ChaSt), by word or number', CHARGE_STATES),
    codes: CHARGE_STATE_CODES,
  },
  words('controlMode', 'What decides the power', CONTROL_MODES),
  number('availableChargeW', 'W', 'Power that the battery would take', available),
  number('availableDischargeW', 'W', 'Power that the battery would give', available),
  number('stringsConnected', '', 'Strings that are connected', strings),
  number('stringsTotal', '', 'Strings that there are', strings),
  number('cellVoltageMinV', 'V', 'Lowest voltage of a cell', cell),
  number('cellVoltageMaxV', 'V', 'Highest voltage of a cell', cell),
  number('moduleTempMaxC', 'degC', 'Temperature of the hottest module', { min: -80, max: 250, sentinels: [-256] }),
];
