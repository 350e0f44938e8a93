import type { FieldSpec } from '../../../runtime/shard/reading.ts';
import { commonFields, number, words } from '../fields.ts';

const fraction = { min: 0, max: 1 };
const watts = { min: -1e8, max: 1e8 };

/** The gateway's word, then those of the owner's API for the same. */
export const GRID_STATUS = [
  'SystemGridConnected',
  'SystemTransitionToIsland',
  'SystemIslandedReady',
  'SystemIslandedActive',
  'SystemTransitionToGrid',
  'SystemMicroGridFaulted',
  'SystemWaitForUser',
  'on_grid',
  'off_grid',
  'off_grid_intentional',
  'off_grid_unintentional',
  'island_status_unknown',
] as const;

export const INVERTER_STATES = [
  'PINV_Off',
  'PINV_Init',
  'PINV_Standby',
  'PINV_GridFollowing',
  'PINV_GridForming',
  '',
] as const;

/** The empty word is what a disabled unit says. */
export const INVERTER_GRID_STATES = ['Grid_Compliant', 'Grid_Qualifying', 'Grid_Uncompliant', ''] as const;

export const OP_SEQ_STATES = ['Active', 'Standby'] as const;

export const powerwallFields: readonly FieldSpec[] = [
  ...commonFields,
  number('soc', '', 'State of charge', fraction),
  number('energyRemainingWh', 'Wh', 'Energy left in the battery', { min: 0, max: 1e9 }),
  number('energyFullWh', 'Wh', 'Energy of the full battery as its management estimates it', { min: 0, max: 1e9 }),
  number('reserveSoc', '', 'State of charge that the owner keeps for outages', fraction),
  words('gridStatus', 'How the home stands to the grid', GRID_STATUS),
  words('inverterState', 'State of the battery inverter', INVERTER_STATES),
  words('inverterGridState', 'Grid as the inverter judges it; empty while the unit is disabled', INVERTER_GRID_STATES),
  words('opSeqState', 'State of the operating sequence', OP_SEQ_STATES),
  { name: 'disabledReasons', type: 'list', doc: 'Why the unit is disabled; empty while it is not' },
  words('mode', 'Mode the owner chose', ['backup', 'self_consumption', 'autonomous', 'scheduler', 'site_control']),
  number('availableChargeW', 'W', 'Power that the battery would take', { min: 0, max: 1e8 }),
  number('availableDischargeW', 'W', 'Power that the battery would give', { min: 0, max: 1e8 }),
  number('siteW', 'W', 'Power at the meter, + is import', watts),
  number('loadW', 'W', 'Power of the home', watts),
  number('solarW', 'W', 'Power of the roof', watts),
  { name: 'stormMode', type: 'bool', doc: 'Charges ahead of a storm' },
  { name: 'gridServices', type: 'bool', doc: 'Works for the grid' },
];
