import type { DerivedColumn, DerivedColumnType, DerivedType } from '../../runtime/shard/derived.ts';

const column = (name: string, type: DerivedColumnType, doc: string, unit?: string): DerivedColumn =>
  unit === undefined ? { name, type, doc } : { name, type, doc, unit };
const fromTime = column('fromTime', 'time', 'Start');
const toTime = column('toTime', 'time', 'End; null while open');

export const siteEnergyInterval: DerivedType = {
  name: 'site_energy_interval',
  table: 'site_energy_intervals',
  doc: 'Energy of a site in 15 minutes, over the members that stood there. A row exists where a member has one. Meters of a home are those of its gateway and are never added up over units.',
  key: 'siteId, interval start, length in seconds',
  lazy: true,
  columns: [
    column('startTime', 'time', 'Start of the interval'),
    column('lengthS', 'integer', 'Length of the interval', 's'),
    column('loadWh', 'double', 'Energy that the site used; null without such a meter', 'Wh'),
    column('solarWh', 'double', "Solar energy: the gateway's meter, else the sum of the inverters; null without", 'Wh'),
    column('importWh', 'double', 'Energy from the grid; null without a meter there', 'Wh'),
    column('exportWh', 'double', 'Energy to the grid; null without a meter there', 'Wh'),
    column('batteryInWh', 'double', 'Energy into the batteries; null without batteries', 'Wh'),
    column('batteryOutWh', 'double', 'Energy out of the batteries; null without batteries', 'Wh'),
    column('chargingWh', 'double', 'Energy into vehicles; null without stalls', 'Wh'),
    column('coverage', 'double', 'Share of the expected time of the members that their readings cover, 0..1'),
  ],
};

const sums: readonly DerivedColumn[] = [
  column('powerW', 'double', 'Power of all fresh members, + leaves them', 'W'),
  column('powerMinW', 'double', 'At least so much with the members that are not fresh; null = unbounded', 'W'),
  column('powerMaxW', 'double', 'At most so much with the members that are not fresh; null = unbounded', 'W'),
  column('batteryW', 'double', 'Power of the batteries, + discharge', 'W'),
  column('solarW', 'double', "Solar power: the gateway's meter, else the sum of the inverters", 'W'),
  column('chargingW', 'double', 'Power into vehicles', 'W'),
  column('loadW', 'double', "Power that the site uses, by the gateway's meter", 'W'),
  column('gridW', 'double', "Power from the grid by the gateway's meter, - is export", 'W'),
  column('setpointW', 'double', 'Sum of what the batteries are told to do', 'W'),
  column('availableChargeW', 'double', 'Sum of the power at which the batteries can charge', 'W'),
  column('availableDischargeW', 'double', 'Sum of the power at which the batteries can discharge', 'W'),
  column('energyRemainingWh', 'double', 'Sum of the energy in the batteries', 'Wh'),
  column('capacityWh', 'double', 'Sum of the energy that the batteries hold when full', 'Wh'),
];

export const siteRollup: DerivedType = {
  name: 'site_rollup',
  table: 'site_rollups',
  doc: 'A site as of the end of a minute in which a member spoke, joined, left or went stale; a minute without a row is as the one before. Sums are over fresh members, null where none tells the field.',
  key: 'siteId, minute',
  lazy: true,
  forwarded: true,
  columns: [
    column('minute', 'time', 'Start of the minute'),
    column('membersExpected', 'integer', 'Assets that hold a slot of the site'),
    column('membersFresh', 'integer', 'Those whose newest reading is not stale'),
    column('oldestAgeMs', 'integer', 'Age of the oldest newest reading; null where nobody ever spoke', 'ms'),
    ...sums,
    column('soc', 'double', 'State of charge of the batteries, weighted by capacity where it is known, 0..1'),
    column('socMin', 'double', 'Lowest state of charge of a battery, 0..1'),
    column('socMax', 'double', 'Highest state of charge of a battery, 0..1'),
    column('unitsByState', 'json', 'Number of members by state of region operation, stale ones as last known'),
    column('faultsOpen', 'integer', 'Faults of members that are open'),
  ],
};

export const siteGridEvent: DerivedType = {
  name: 'site_grid_event',
  table: 'site_grid_events',
  doc: 'A home was away from the grid, as its gateway tells; other units of the home do not count.',
  key: 'siteId, from time',
  forwarded: true,
  columns: [
    column('gateway', 'text', 'Serial of the unit that is the gateway'),
    fromTime,
    toTime,
    column('intentional', 'boolean', 'True where the island was commanded or scheduled'),
    column('durationMs', 'integer', 'Duration; null while open', 'ms'),
    column('energyServedWh', 'double', 'Energy out of the gateway unit in that time; null while open', 'Wh'),
    column('socFrom', 'double', 'State of charge of the gateway unit at the start, 0..1'),
    column('socTo', 'double', 'State of charge of the gateway unit at the end, 0..1; null while open'),
  ],
};

export const slotConflict: DerivedType = {
  name: 'slot_conflict',
  table: 'slot_conflicts',
  doc: 'Two assets claim one slot at the same time: a lifecycle record is wrong or missing. Both count as members.',
  key: 'siteId, slot, from time, the two serials',
  columns: [
    column('slot', 'text', 'Slot'),
    fromTime,
    toTime,
    column('holder', 'text', 'Asset that held the slot first'),
    column('claimant', 'text', 'Asset that was installed while it was held'),
  ],
};

export const underperformance: DerivedType = {
  name: 'underperformance',
  table: 'underperformances',
  doc: 'An inverter yielded over 10 % less in a day than the median of its peers at the site. Yield is energy out per rated watt, or energy where a rating is not known; days and peers with little coverage are left out.',
  key: 'siteId, serial, day',
  columns: [
    column('memberSerial', 'text', 'Inverter'),
    column('slot', 'text', 'Its slot'),
    column('day', 'time', "Start of the day in the inverter's time zone"),
    column('energyWh', 'double', 'Energy out of it in the day', 'Wh'),
    column('yieldRatio', 'double', 'Its yield over the median yield of its peers'),
    column('lostWh', 'double', 'Energy that it would have yielded more at the median', 'Wh'),
    column('peers', 'integer', 'Peers in the comparison'),
  ],
};

export const cabinetRollup: DerivedType = {
  name: 'cabinet_rollup',
  table: 'cabinet_rollups',
  doc: 'A cabinet as of the end of a minute in which a stall spoke, was installed or removed, or went stale; a minute without a row is as the one before. Sums are over fresh stalls, null where none tells the field.',
  key: 'siteId/cabinet, minute',
  lazy: true,
  columns: [
    column('minute', 'time', 'Start of the minute'),
    column('stallsExpected', 'integer', 'Stalls that the cabinet feeds'),
    column('stallsFresh', 'integer', 'Those whose newest reading is not stale'),
    column('powerW', 'double', 'Power of the stalls, - into vehicles', 'W'),
    column('offeredW', 'double', 'Power that is offered to vehicles', 'W'),
    column('requestedW', 'double', 'Power that vehicles ask for', 'W'),
    column('limitW', 'double', 'Power that the cabinet can give; null where nobody told', 'W'),
    column('state', 'text', '`Off`, `Standby`, `Supplying`, `Derated` or `Faulted`'),
    column('stallsByState', 'json', 'Number of stalls by state of region operation, silent ones as last known'),
  ],
};

export const cabinetInterval: DerivedType = {
  name: 'cabinet_interval',
  table: 'cabinet_intervals',
  doc: 'A cabinet was in one state for a time, as its stalls show.',
  key: 'siteId/cabinet, from time',
  columns: [column('state', 'text', '`Off`, `Standby`, `Supplying`, `Derated` or `Faulted`'), fromTime, toTime],
};

export const cabinetInhibit: DerivedType = {
  name: 'cabinet_inhibit',
  table: 'cabinet_inhibits',
  doc: 'All stalls of a cabinet (two or more) were out of use at once: the cabinet holds them back, they are not at fault themselves.',
  key: 'siteId/cabinet, from time',
  columns: [
    fromTime,
    toTime,
    column('cause', 'text', '`Faulted` where a stall tells a fault, else `Off`'),
    column('stalls', 'json', 'Serials of the stalls that it held back'),
  ],
};

export const cabinetOverallocation: DerivedType = {
  name: 'cabinet_overallocation',
  table: 'cabinet_overallocations',
  doc: 'The stalls of a cabinet were offered more power together than it can give.',
  key: 'siteId/cabinet, from time',
  columns: [
    fromTime,
    toTime,
    column('limitW', 'double', 'Power that the cabinet can give', 'W'),
    column('maxOfferedW', 'double', 'Highest sum of the power offered', 'W'),
  ],
};

export const regionRollup: DerivedType = {
  name: 'region_rollup',
  table: 'region_rollups',
  doc: 'An area as of the end of a minute in which one of its sites has a row; a minute without a row is as the one before. Sums are over the newest rows of its sites.',
  key: 'region, minute',
  lazy: true,
  columns: [
    column('minute', 'time', 'Start of the minute'),
    column('sites', 'integer', 'Sites with members'),
    column('sitesUnknown', 'integer', 'Those of which no member is fresh'),
    column('membersExpected', 'integer', 'Members of all sites'),
    column('membersFresh', 'integer', 'Those whose newest reading is not stale'),
    column(
      'oldestAgeMs',
      'integer',
      'Age of the oldest newest reading of a member; null where nobody ever spoke',
      'ms',
    ),
    ...sums,
    column('soc', 'double', 'State of charge of all batteries whose capacity is known, 0..1'),
    column('faultsOpen', 'integer', 'Faults of members that are open'),
  ],
};

export const regionalGridEvent: DerivedType = {
  name: 'regional_grid_event',
  table: 'regional_grid_events',
  doc: 'Sites of an area lost the grid, each within 60 s of another: one event of the grid. Islands that somebody wanted are left out.',
  key: 'region, from time',
  columns: [
    column('region', 'text', 'Area'),
    fromTime,
    toTime,
    column('sites', 'json', 'Sites that lost the grid'),
    column('siteCount', 'integer', 'How many they are'),
    column('class', 'text', '`regional` for two sites or more, else `local`'),
  ],
};

/** Types of facts that only actors of sites, cabinets and regions state. */
export const siteTypes: readonly DerivedType[] = [
  siteEnergyInterval,
  siteRollup,
  siteGridEvent,
  slotConflict,
  underperformance,
  cabinetRollup,
  cabinetInterval,
  cabinetInhibit,
  cabinetOverallocation,
  regionRollup,
  regionalGridEvent,
];
