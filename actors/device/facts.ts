import type { DerivedColumn, DerivedColumnType, DerivedType } from '../../runtime/shard/derived.ts';

const column = (name: string, type: DerivedColumnType, doc: string, unit?: string): DerivedColumn =>
  unit === undefined ? { name, type, doc } : { name, type, doc, unit };
const fromTime = column('fromTime', 'time', 'Start');
const toTime = column('toTime', 'time', 'End; null while open');

export const stateTransition: DerivedType = {
  name: 'state_transition',
  table: 'state_transitions',
  doc: 'A region of the asset went from one state to another.',
  key: 'serial, region, event time, number among the transitions of that region at that time',
  columns: [
    column('region', 'text', 'Region: lifecycle, connectivity, firmware, health, operation, or one of the kind'),
    column('from', 'text', 'State that was left'),
    column('to', 'text', 'State that was entered'),
    column('cause', 'text', 'What the decision rests on, for instance power, alert, silence'),
    column('leftAfterMs', 'integer', 'How long the left state had lasted; null where it had no beginning', 'ms'),
  ],
};

export const stateInterval: DerivedType = {
  name: 'state_interval',
  table: 'state_intervals',
  doc: 'A region of the asset was in one state for a time. Intervals of a region neither overlap nor leave holes.',
  key: 'serial, region, from time',
  forwarded: true,
  columns: [column('region', 'text', 'Region'), column('state', 'text', 'State'), fromTime, toTime],
};

export const energyInterval: DerivedType = {
  name: 'energy_interval',
  table: 'energy_intervals',
  doc: 'Energy through the asset in 15 minutes. A row exists where there is coverage or energy.',
  key: 'serial, interval start, length in seconds',
  lazy: true,
  forwarded: true,
  columns: [
    column('startTime', 'time', 'Start of the interval'),
    column('lengthS', 'integer', 'Length of the interval', 's'),
    column('inWh', 'double', 'Energy into the asset', 'Wh'),
    column('outWh', 'double', 'Energy out of the asset', 'Wh'),
    column('method', 'text', '`counter` where the asset has an energy counter, else `power` (left rectangle)'),
    column('coverage', 'double', 'Share of the interval that readings cover, 0..1; from time alone'),
  ],
};

export const meterInterval: DerivedType = {
  name: 'meter_interval',
  table: 'meter_intervals',
  doc: 'Energy at the meters of a home in 15 minutes, as its gateway tells: each power holds until the next (left rectangle), as in energy intervals. A row exists where there is coverage or energy.',
  key: 'serial, interval start, length in seconds',
  lazy: true,
  forwarded: true,
  columns: [
    column('startTime', 'time', 'Start of the interval'),
    column('lengthS', 'integer', 'Length of the interval', 's'),
    column('loadWh', 'double', 'Energy that the home used; null without such a meter', 'Wh'),
    column('solarWh', 'double', 'Energy from the roof; null without such a meter', 'Wh'),
    column('importWh', 'double', 'Energy from the grid; null without a meter there', 'Wh'),
    column('exportWh', 'double', 'Energy to the grid; null without a meter there', 'Wh'),
    column('coverage', 'double', 'Share of the interval in which all meters of the home are known, 0..1'),
  ],
};

export const counterReset: DerivedType = {
  name: 'counter_reset',
  table: 'counter_resets',
  doc: 'An energy counter started anew.',
  key: 'serial, field, event time',
  columns: [
    column('field', 'text', 'Field of the counter'),
    column('before', 'double', 'Last value before', 'Wh'),
    column('after', 'double', 'First value after', 'Wh'),
    column('class', 'text', '`reset`, `rollover` at 2^32, or `daily`'),
  ],
};

export const dataGap: DerivedType = {
  name: 'data_gap',
  table: 'data_gaps',
  doc: 'A time without measurements. A silence that begins with a gap of zeros is part of that gap.',
  key: 'serial, from time; and the class where it is not silent',
  forwarded: true,
  columns: [
    fromTime,
    toTime,
    column(
      'class',
      'text',
      '`silent`: no readings; `zeros`: readings that stand for missing data; `lost`: the log dropped records before they were folded, perhaps of this asset',
    ),
  ],
};

export const fault: DerivedType = {
  name: 'fault',
  table: 'faults',
  doc: 'A fault from its opening to its close. One that comes back within 24 h of its close is the same incident.',
  key: 'serial, code, opened time',
  forwarded: true,
  columns: [
    column('code', 'text', 'Alert name, disabled reason or error code with which it opened; it keeps that code'),
    column('severity', 'text', '`critical` or `rma`'),
    column('openedTime', 'time', 'Opened; told by the device where it tells'),
    column('closedTime', 'time', 'Closed; null while open'),
    column('recurrence', 'integer', 'How often the incident came back; 0 the first time'),
    column('closedBy', 'text', '`cleared` by the device, `productive` evidence of work, or `replaced`'),
  ],
};

export const gridEvent: DerivedType = {
  name: 'grid_event',
  table: 'grid_events',
  doc: 'The asset was away from the grid.',
  key: 'serial, from time',
  forwarded: true,
  columns: [
    fromTime,
    toTime,
    column('intentional', 'boolean', 'True where the island was commanded or scheduled'),
    column('durationMs', 'integer', 'Duration; null while open', 'ms'),
    column('energyServedWh', 'double', 'Energy out of the asset in that time; null while open', 'Wh'),
    column('socFrom', 'double', 'State of charge at the start, 0..1'),
    column('socTo', 'double', 'State of charge at the end, 0..1; null while open'),
  ],
};

export const gapTransition: DerivedType = {
  name: 'gap_transition',
  table: 'gap_transitions',
  doc: 'A stall went between two statuses that OCPP does not connect: messages between were missed. The transition itself is stated as any other.',
  key: 'serial, region, time, number among the transitions of that region at that time',
  columns: [
    column('region', 'text', 'Region'),
    column('from', 'text', 'State that was left'),
    column('to', 'text', 'State that was entered'),
    column('at', 'time', 'When the state that was entered was told'),
  ],
};

export const chargingSession: DerivedType = {
  name: 'charging_session',
  table: 'charging_sessions',
  doc: 'A vehicle charged at a stall. Its energy is what the register of the stall counted from start to end, restarts of the register included; of a stall without a register the integral of power.',
  key: 'serial, sessionId; a start that names no session: the time of the start',
  lazy: true,
  forwarded: true,
  columns: [
    column('sessionId', 'text', 'Transaction, as the stall names it'),
    column('startTime', 'time', 'Start; the first reading that names the session where `Started` was missed'),
    column('endTime', 'time', 'End; null while open'),
    column('energyWh', 'double', 'Energy into the vehicle; so far while open', 'Wh'),
    column('maxW', 'double', 'Highest power into the vehicle; null where none was told', 'W'),
    column('meanW', 'double', 'Mean power from start to end; null without a duration', 'W'),
    column('offeredW', 'double', 'Highest power that the stall offered; null where none was told', 'W'),
    column('limitedSeconds', 'double', 'Time in which less was offered than asked for, or the stall suspended', 's'),
    column('idleSeconds', 'double', 'Time from the last energy to the end, by doing of the vehicle', 's'),
    column('socFrom', 'double', 'State of charge of the vehicle when first told, 0..1'),
    column('socTo', 'double', 'State of charge of the vehicle when last told, 0..1'),
    column('stoppedReason', 'text', 'Why it ended (OCPP names); null where not told'),
    column('openedBy', 'text', '`started`; `seen`: a later message named it; `ended`: only its end was told'),
    column(
      'closedBy',
      'text',
      '`ended`; without an end: `available` (the status), `next` (another session); null while open',
    ),
    column(
      'exceedsMaxPower',
      'boolean',
      'Mean power above all that was offered: doubtful, kept; null where nothing was offered',
    ),
    column('seqGaps', 'integer', 'Messages that are missing by their numbers'),
  ],
};

export const derateInterval: DerivedType = {
  name: 'derate_interval',
  table: 'derate_intervals',
  doc: 'Something held the asset below its rated power for more than 60 s.',
  key: 'serial, cause, from time',
  columns: [
    column(
      'cause',
      'text',
      'SOC_LIMIT, THERMAL, POWER_CONFIG, RAMP, GRID_SUPPORT, CURTAILED, LOW_SOE, DERATED, SHARED_CABINET, STRINGS_OUT or CLIPPED',
    ),
    fromTime,
    toTime,
    column(
      'lostWh',
      'double',
      'At least so much energy was lost, by all causes of that time together: how far an inverter says it throttles, times the highest power it ever kept up; what a Megapack fell short of its setpoint; what a stall offered less than it was asked for; null while open, and where it does not say',
      'Wh',
    ),
  ],
};

export const dispatchDeviation: DerivedType = {
  name: 'dispatch_deviation',
  table: 'dispatch_deviations',
  doc: 'Power was off its setpoint by more than 2 % of the rating, and by more than ramping explains, for 60 s or more.',
  key: 'serial, from time',
  columns: [
    fromTime,
    toTime,
    column('setpointW', 'double', 'Setpoint at the start', 'W'),
    column('meanErrorW', 'double', 'Mean distance of power from setpoint; null while open', 'W'),
    column('maxErrorW', 'double', 'Largest distance; null while open', 'W'),
    column('undeliveredWh', 'double', 'Energy short of the setpoint, either way; null while open', 'Wh'),
  ],
};

export const thermalExcursion: DerivedType = {
  name: 'thermal_excursion',
  table: 'thermal_excursions',
  doc: 'The hottest module of a battery was at 50 degrees or more, for 60 s or more; it ends below 45.',
  key: 'serial, from time',
  columns: [fromTime, toTime, column('maxC', 'double', 'Highest temperature; null while open', 'degC')],
};

export const cellImbalance: DerivedType = {
  name: 'cell_imbalance',
  table: 'cell_imbalances',
  doc: 'The cells of a battery were 0.15 V apart or more, for 60 s or more; it ends below 0.1 V.',
  key: 'serial, from time',
  columns: [
    fromTime,
    toTime,
    column('maxSpreadV', 'double', 'Largest distance of highest from lowest cell; null while open', 'V'),
  ],
};

export const capacityEstimate: DerivedType = {
  name: 'capacity_estimate',
  table: 'capacity_estimates',
  doc: "What a battery holds, by month in its zone: the median (within 0.05 %) of its management's own estimate at rest, which goes up and down; at most one sample an hour.",
  key: 'serial, month',
  lazy: true,
  columns: [
    column('startTime', 'time', 'Start of the month'),
    column('capacityWh', 'double', 'Energy of the full battery; null where it tells its state of health only', 'Wh'),
    column('samples', 'integer', 'Hours with a sample'),
    column('soh', 'double', 'State of health as told; else capacity as a share of the highest median of 3 months'),
    column(
      'fadePerYear',
      'double',
      'Share lost per year, + is loss, by the last 2 years (Theil-Sen); null before 6 months',
    ),
    column('cyclesEquivalent', 'double', 'Full cycles since the first reading: energy moved / 2 / highest capacity'),
  ],
};

export const roundTripEfficiency: DerivedType = {
  name: 'round_trip_efficiency',
  table: 'round_trip_efficiencies',
  doc: 'What a battery gave back of what it took, over whole days with at least one full equivalent cycle.',
  key: 'serial, from time',
  columns: [
    column('fromTime', 'time', 'First reading of the first day'),
    column('toTime', 'time', 'First reading after the last day'),
    column('chargeWh', 'double', 'Energy into the battery', 'Wh'),
    column('dischargeWh', 'double', 'Energy out of the battery', 'Wh'),
    column('storedWh', 'double', 'Energy more in the battery at the end than at the start; null where not told', 'Wh'),
    column(
      'efficiency',
      'double',
      '(discharge + stored, where above 0) / (charge - stored, where below 0); null where stored is',
    ),
    column('rawRatio', 'double', 'Discharge / charge'),
    column(
      'cyclesEquivalent',
      'double',
      'Full equivalent cycles: energy moved / 2 / full energy, or by state of charge',
    ),
    column('coverage', 'double', 'Share of the time of which something is known, 0..1'),
  ],
};

export const availabilityInterval: DerivedType = {
  name: 'availability_interval',
  table: 'availability_intervals',
  doc: 'How a day of the asset went, by its own measurements: maintenance and service are of the lifecycle and joined by the views. The four add up to the time from `fromTime` to `toTime`; availability by time is available / (available + down).',
  key: "serial, day in the asset's zone",
  lazy: true,
  columns: [
    column('day', 'text', "Day in the asset's time zone, YYYY-MM-DD"),
    column('fromTime', 'time', 'Start of the day; on the first day the first reading'),
    column('toTime', 'time', 'End of the day; of the day in progress the newest reading'),
    column('availableS', 'double', 'Time without a fault, idle or not', 's'),
    column('downS', 'double', 'Time with an open fault, at night too', 's'),
    column('unknownS', 'double', 'Time of which nothing is known: no readings, void readings, a frozen heartbeat', 's'),
    column('nightS', 'double', 'Time in which an inverter without a fault was off or asleep', 's'),
  ],
};

export const stringOut: DerivedType = {
  name: 'string_out',
  table: 'string_outs',
  doc: 'Strings of an inverter were not connected for more than 15 minutes while it fed; the nights between belong to it.',
  key: 'serial, from time',
  columns: [
    fromTime,
    toTime,
    column('stringsOut', 'integer', 'Most strings that were out at once'),
    column('stringsTotal', 'integer', 'Strings that there are'),
  ],
};

export const firmwareUpdate: DerivedType = {
  name: 'firmware_update',
  table: 'firmware_updates',
  doc: 'The firmware changed, or an attempt to change it ended; told by the device or by the record of an update.',
  key: 'serial, source, time of the change (device) or of the first record (lifecycle)',
  columns: [
    column('fromVersion', 'text', 'Version before; null where nobody told'),
    column('toVersion', 'text', 'Version after; for a failed attempt the one that was wanted'),
    column(
      'startedTime',
      'time',
      'First record of the attempt; by the device: its last reading before the new version. A silence of up to 30 minutes from there is its reboot',
    ),
    column('completedTime', 'time', 'When the new version was seen or the attempt ended; null while it runs'),
    column('ok', 'boolean', 'False for a failed attempt; null while it runs'),
    column('rollback', 'boolean', 'True where the new version is lower than the old one'),
    column('source', 'text', '`telemetry` or `lifecycle`'),
  ],
};

export const lifecycleChange: DerivedType = {
  name: 'lifecycle_change',
  table: 'lifecycle_changes',
  doc: 'What a lifecycle record did. Illegal ones wait for review here.',
  key: 'serial, id of the lifecycle record',
  columns: [
    column('recordId', 'text', 'Id of the lifecycle record'),
    column('type', 'text', 'Its type'),
    column('from', 'text', 'State before'),
    column('to', 'text', 'State after'),
    column('legal', 'boolean', 'False: for review'),
    column(
      'review',
      'text',
      'Why it is for review: first_word, not_foreseen, unknown_phase, unknown_record or circle; else null',
    ),
    column('voided', 'boolean', 'True: replaced by a correction or taken back'),
    column('source', 'text', 'System that told'),
    column('occurredTime', 'time', 'When it happened, as the record says'),
    column('reportedTime', 'time', 'When the record was made'),
    column('data', 'json', 'What else the record says'),
  ],
};

export const slotOccupancy: DerivedType = {
  name: 'slot_occupancy',
  table: 'slot_occupancies',
  doc: 'An asset held a slot of a site for a time.',
  key: 'siteId, slot, from time',
  forwarded: true,
  columns: [
    column('siteId', 'text', 'Site'),
    column('slot', 'text', 'Slot: the position at the site, which outlives the asset'),
    column('serial', 'text', 'Asset'),
    fromTime,
    toTime,
    column('installEpoch', 'integer', 'Number of this installation in the life of the asset, from 1'),
    column('replaces', 'text', 'Serial of the asset that held the slot before, where the record tells'),
    column('cabinet', 'text', 'Cabinet that feeds the slot, where the record tells'),
    column('cabinetLimitW', 'double', 'Power that the cabinet shares out, where the record tells', 'W'),
    column('region', 'text', 'Area of the site, where the record tells'),
    column('model', 'text', 'Model of the asset, as last told before'),
    column('ratedW', 'double', 'Rated power of the asset, as last told before', 'W'),
    column('capacityWh', 'double', 'Energy the asset holds when new, as last told before', 'Wh'),
    column('cadenceS', 'integer', 'Expected time between two readings; null where only the kind tells', 's'),
    column('timeZone', 'text', 'IANA time zone of the asset; null where only the kind tells'),
  ],
};

export const derivedTypes: readonly DerivedType[] = [
  stateTransition,
  stateInterval,
  energyInterval,
  meterInterval,
  counterReset,
  dataGap,
  fault,
  gridEvent,
  derateInterval,
  dispatchDeviation,
  thermalExcursion,
  cellImbalance,
  gapTransition,
  chargingSession,
  stringOut,
  capacityEstimate,
  roundTripEfficiency,
  availabilityInterval,
  firmwareUpdate,
  lifecycleChange,
  slotOccupancy,
];

/** Time as it stands in keys of facts. */
export { isoTime as iso } from '../../runtime/kernel/iso.ts';
