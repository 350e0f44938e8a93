import fc from 'fast-check';

/** A reading as it comes through the door, without its serial. */
export interface Told {
  readonly time: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const START = Date.UTC(2022, 2, 12, 22);

const maybe = <T>(value: fc.Arbitrary<T>, weight = 2) =>
  fc.oneof({ weight, arbitrary: value }, { weight: 1, arbitrary: fc.constant(undefined) });
const orNull = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) });

/** Distances between readings: neighbours, short and long silences, the same instant, more than a week. */
const distance = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 10 }).map((n) => n * 60_000) },
  { weight: 3, arbitrary: fc.constant(300_000) },
  { weight: 2, arbitrary: fc.integer({ min: 900_000, max: 4_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4_000_000, max: 100_000_000 }) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 7, max: 9 }).map((d) => d * 86_400_000) },
);

const alertName = fc.constantFrom(
  'POD_f029_HW_CMA_OV',
  'POD_w110_SW_EOC',
  'POD_w105_SW_EOD',
  'FWUpdateSucceeded',
  'WaitForSolar',
  'SelfConsumptionReservedLimit',
  'ScheduledIslandContactorOpen',
  'RealPowerAvailableLimited',
  'CONTACTOR_FAILURE',
);
const alerts = fc.array(
  fc.record({ name: alertName, ended: fc.boolean(), severity: fc.constantFrom(undefined, undefined, 'critical') }),
  { maxLength: 3 },
);

const counter = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 1, arbitrary: fc.constant('reset' as const) },
  { weight: 1, arbitrary: fc.constant('spike' as const) },
);

const power = fc.constantFrom(0, 30, 70, 150, -40, -70, -150, 5000, -5000);

const shared = {
  powerW: maybe(orNull(power), 8),
  out: maybe(counter),
  in: maybe(counter),
  heartbeat: maybe(fc.integer({ min: 0, max: 2 }), 1),
  firmware: maybe(fc.constantFrom('1.2.3', '1.3.0'), 1),
  alerts: maybe(alerts, 1),
  note: maybe(fc.constantFrom('a', 'b'), 1),
};

const powerwallStep = fc.record({
  ...shared,
  kind: fc.constant('powerwall'),
  zeros: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  soc: maybe(orNull(fc.constantFrom(0.05, 0.2, 0.5, 1))),
  reserveSoc: maybe(fc.constant(0.2), 1),
  gridStatus: maybe(
    fc.constantFrom(
      'SystemGridConnected',
      'SystemGridConnected',
      'SystemTransitionToIsland',
      'SystemIslandedActive',
      'SystemTransitionToGrid',
      'nonsense',
    ),
  ),
  inverterState: maybe(fc.constantFrom('PINV_GridFollowing', 'PINV_GridForming', 'PINV_Off'), 1),
  inverterGridState: maybe(fc.constantFrom('Grid_Compliant', 'Grid_Compliant', ''), 1),
  disabledReasons: maybe(fc.constantFrom([], [], ['DisabledBatteryBreakerOpen']), 1),
  availableChargeW: maybe(fc.constantFrom(0, 5000), 1),
  loadW: maybe(orNull(fc.constantFrom(800, 1200))),
  siteW: maybe(orNull(fc.constantFrom(-500, 0, 900)), 1),
  solarW: maybe(fc.constantFrom(0, 1500), 1),
  energyFullWh: maybe(orNull(fc.constantFrom(13_500, 13_400)), 1),
});

const inverterStep = fc.record({
  ...shared,
  kind: fc.constant('inverter'),
  day: maybe(counter, 1),
  stateCode: maybe(fc.constantFrom(0, 50, 60, 60, 70, 80)),
  errorCode: maybe(fc.constantFrom(0, 0, 1364, 1043)),
  throttlePct: maybe(orNull(fc.constantFrom(0, 30)), 1),
  stringsTotal: maybe(fc.constant(12), 1),
  stringsConnected: maybe(fc.constantFrom(11, 12), 1),
  throttleSources: maybe(fc.constantFrom([], ['FREQ_WATT'], ['MAX_W']), 1),
  events: maybe(fc.constantFrom([], [], ['GRID_DISCONNECT'], ['OVER_TEMP']), 1),
});

/** Sessions as stalls tell them, and as they do when messages are lost, repeated or mixed up. */
const superchargerStep = fc.record({
  ...shared,
  kind: fc.constant('supercharger'),
  powerW: maybe(orNull(power), 1),
  vehicleW: maybe(orNull(power), 3),
  delivered: maybe(counter),
  status: maybe(
    fc.constantFrom(
      'Available',
      'Preparing',
      'Charging',
      'SuspendedEV',
      'SuspendedEVSE',
      'Finishing',
      'Occupied',
      'Faulted',
    ),
  ),
  errorCode: maybe(
    fc.constantFrom('NoError', 'NoError', 'GroundFailure', 'HighTemperature', 'EVCommunicationError'),
    1,
  ),
  offeredW: maybe(fc.constantFrom(60_000, 120_000), 1),
  requestedW: maybe(fc.constantFrom(60_000, 120_000), 1),
  vehicleSoc: maybe(fc.constantFrom(0.2, 0.8, 1), 1),
  sessionEvent: maybe(fc.constantFrom('Started', 'Updated', 'Ended')),
  sessionId: maybe(fc.constantFrom('a', 'b', 'c')),
  seqNo: maybe(fc.integer({ min: 0, max: 9 }), 1),
  stoppedReason: maybe(fc.constantFrom('Local', 'EVDisconnected'), 1),
});

/** Units that work off their setpoint, and report their parts in any combination. */
const megapackStep = fc.record({
  ...shared,
  kind: fc.constant('megapack'),
  powerW: maybe(orNull(fc.constantFrom(0, 4000, -4000, 20_000, -20_000, 900_000, -900_000)), 8),
  setpointW: maybe(orNull(fc.constantFrom(0, 900_000, -900_000, 500_000)), 1),
  soc: maybe(orNull(fc.constantFrom(0, 0.1, 0.5, 1))),
  soh: maybe(fc.constantFrom(0.97, 0.98), 1),
  state: maybe(
    fc.constantFrom(
      'DISCONNECTED',
      'INITIALIZING',
      'CONNECTED',
      'CONNECTED',
      'STANDBY',
      'SOC_PROTECTION',
      'SUSPENDING',
      'FAULT',
    ),
  ),
  chargeState: maybe(orNull(fc.constantFrom('OFF', 'EMPTY', 'DISCHARGING', 'CHARGING', 'FULL', 'HOLDING')), 1),
  controlMode: maybe(fc.constantFrom('RealPowerDispatch', 'RealPowerDispatch', 'FCR', 'Manual'), 1),
  availableChargeW: maybe(fc.constantFrom(0, 800_000, 1_000_000), 1),
  availableDischargeW: maybe(fc.constantFrom(0, 800_000, 1_000_000), 1),
  stringsConnected: maybe(fc.constantFrom(0, 9, 10), 1),
  stringsTotal: maybe(fc.constant(10), 1),
  cellVoltageMinV: maybe(orNull(fc.constantFrom(3.1, 3.3)), 1),
  cellVoltageMaxV: maybe(fc.constantFrom(3.31, 3.35), 1),
  moduleTempMaxC: maybe(orNull(fc.constantFrom(30, 47, 52)), 1),
});

const STEPS = {
  powerwall: powerwallStep,
  inverter: inverterStep,
  supercharger: superchargerStep,
  megapack: megapackStep,
};

type Step = Record<string, unknown>;

/** Random readings of a kind, in order of time, with counters that mostly grow. */
export function randomReadings(kind: keyof typeof STEPS, maxLength: number): fc.Arbitrary<Told[]> {
  const step: fc.Arbitrary<Step> = STEPS[kind];
  return fc.array(fc.tuple(distance, step), { minLength: 1, maxLength }).map((steps) => {
    let time = START;
    const registers = { out: 1000, in: 1000, day: 0, delivered: 1000 };
    return steps.map(([after, chosen]) => {
      time += after;
      return { time, fields: fieldsOf(chosen, registers, time) };
    });
  });
}

function fieldsOf(step: Step, registers: Record<string, number>, time: number): Record<string, unknown> {
  if (step.zeros === true) return { powerW: 0, siteW: 0, loadW: 0, solarW: 0, soc: 0 };
  const { kind, zeros: _, out, in: inflow, day, delivered, alerts: list, ...plain } = step;
  const fields: Record<string, unknown> = { ...plain };
  if (kind === 'inverter' && fields.stateCode !== undefined) fields.stateScheme = 'danfoss';
  fields.energyOutWh = count(registers, 'out', out);
  fields.energyInWh = count(registers, 'in', inflow);
  if (kind === 'inverter') fields.energyDayWh = count(registers, 'day', day);
  if (kind === 'supercharger') fields.deliveredWh = count(registers, 'delivered', delivered);
  if (Array.isArray(list)) {
    fields.alerts = list.map(({ name, severity, ended }) => ({
      name,
      severity,
      startedAt: Math.floor(time / 14_400_000) * 14_400_000,
      endedAt: ended ? time - 10_000 : undefined,
    }));
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function count(registers: Record<string, number>, name: string, step: unknown): number | undefined {
  if (step === undefined) return undefined;
  if (step === 'spike') return registers[name] + 1e12;
  registers[name] = step === 'reset' ? 3 : registers[name] + (step as number);
  return registers[name];
}
