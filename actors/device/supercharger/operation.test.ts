import { describe, expect, it } from 'vitest';
import { Fed } from '../testing/harness.ts';
import { OCPP16_STATUS } from './fields.ts';

const MINUTE = 60_000;
const START = Date.UTC(2024, 2, 1, 12);

type Status = (typeof OCPP16_STATUS)[number];

/** The table of OCPP 1.6, section 4.9. Faulted leads back to any state. */
const ALLOWED: Readonly<Record<Status, readonly Status[]>> = {
  Available: ['Preparing', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Reserved', 'Unavailable', 'Faulted'],
  Preparing: ['Available', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Finishing', 'Faulted'],
  Charging: ['Available', 'SuspendedEV', 'SuspendedEVSE', 'Finishing', 'Unavailable', 'Faulted'],
  SuspendedEV: ['Available', 'Charging', 'SuspendedEVSE', 'Finishing', 'Unavailable', 'Faulted'],
  SuspendedEVSE: ['Available', 'Charging', 'SuspendedEV', 'Finishing', 'Unavailable', 'Faulted'],
  Finishing: ['Available', 'Preparing', 'Unavailable', 'Faulted'],
  Reserved: ['Available', 'Preparing', 'Unavailable', 'Faulted'],
  Unavailable: ['Available', 'Preparing', 'Charging', 'SuspendedEV', 'SuspendedEVSE', 'Faulted'],
  Faulted: OCPP16_STATUS.filter((s) => s !== 'Faulted'),
};

const stateOf = (status: Status) => status.charAt(0).toLowerCase() + status.slice(1);

/** A stall that tells these statuses, one a minute. */
function told(...statuses: string[]): Fed {
  const p = new Fed('supercharger');
  for (const [i, status] of statuses.entries()) p.feed(START + i * MINUTE, { status });
  return p;
}

const pairs = OCPP16_STATUS.flatMap((from) => OCPP16_STATUS.map((to) => [from, to] as const)).filter(
  ([from, to]) => from !== to,
);

describe('operation of a stall', () => {
  it.each(pairs.filter(([from, to]) => ALLOWED[from].includes(to)))('%s goes to %s, as OCPP has it', (from, to) => {
    const p = told(from, to);
    expect(p.states('operation')).toEqual(
      ['unknown', stateOf(from), stateOf(to)].filter((s, i) => i > 0 || s !== 'unknown'),
    );
    expect(p.data('gap_transition')).toEqual([]);
  });

  it.each(pairs.filter(([from, to]) => !ALLOWED[from].includes(to)))('%s to %s: messages were missed', (from, to) => {
    const p = told(from, to);
    expect(p.state('operation')).toBe(stateOf(to));
    const at = START + MINUTE;
    expect(p.data('gap_transition')).toEqual([{ region: 'operation', from: stateOf(from), to: stateOf(to), at }]);
  });

  it('is told by a table of 53 transitions; the other 19 are jumps', () => {
    expect(pairs.filter(([from, to]) => ALLOWED[from].includes(to))).toHaveLength(53);
    expect(pairs).toHaveLength(53 + 19);
  });

  it('is the status that people see', () => {
    expect(told('SuspendedEVSE').view.status).toBe('SUSPENDED_EVSE');
    expect(told('SuspendedEV').view.status).toBe('SUSPENDED_EV');
  });

  it('begins with the first status told, and that is no gap', () => {
    const p = told('Finishing', 'Finishing');
    expect(p.data('state_transition').filter((d) => d.region === 'operation')).toMatchObject([
      { from: 'unknown', to: 'finishing', cause: 'status' },
    ]);
  });

  it.each([
    [['Available', 'Occupied'], 'preparing'],
    [['Charging', 'Occupied'], 'charging'],
    [['Available', 'Occupied', 'EVConnected', 'Charging', 'SuspendedEV', 'Occupied'], 'suspendedEV'],
    [['Charging', 'EVConnected'], 'charging'],
    [['Available', 'EVConnected'], 'preparing'],
    [['Finishing', 'EVConnected'], 'preparing'],
    [['Charging', 'Idle'], 'finishing'],
    [['Available', 'Idle'], 'preparing'],
    [['Unavailable', 'Idle'], 'unavailable'],
    [['Faulted', 'Occupied'], 'preparing'],
  ] as const)('understands the words of OCPP 2.0.1: %j is %s', (statuses, state) => {
    const p = told(...statuses);
    expect(p.state('operation')).toBe(state);
    expect(p.data('gap_transition')).toEqual([]);
  });

  it('is suspended by the stall where both suspend at once', () => {
    const suspend = (first: string, second: string) =>
      told('Charging')
        .feed(START + 2 * MINUTE, { status: first })
        .feed(START + 2 * MINUTE, { status: second });
    expect(suspend('SuspendedEV', 'SuspendedEVSE').state('operation')).toBe('suspendedEVSE');
    expect(suspend('SuspendedEVSE', 'SuspendedEV').state('operation')).toBe('suspendedEVSE');
    expect(told('Charging', 'SuspendedEVSE', 'SuspendedEV').state('operation')).toBe('suspendedEV');
  });

  it('stays unavailable over a reboot, until somebody says otherwise', () => {
    const p = new Fed('supercharger').feed(START, { status: 'Unavailable', heartbeat: 900, firmware: '1.2.3' });
    p.feed(START + 60 * MINUTE, { heartbeat: 1, firmware: '1.2.4' });
    expect(p.state('operation')).toBe('unavailable');
    expect(p.feed(START + 61 * MINUTE, { status: 'Available' }).state('operation')).toBe('available');
  });

  it('keeps a word that it does not know, and its state', () => {
    const p = told('Charging', 'Levitating');
    expect(p.state('operation')).toBe('charging');
    expect(p.view.extra.status).toBeUndefined();
  });
});

describe('faults of a stall', () => {
  const faulted = (errorCode?: string) => told('Charging').feed(START + MINUTE, { status: 'Faulted', errorCode });

  it('open under the error code and close with the next status', () => {
    const p = faulted('GroundFailure');
    expect(p.view.status).toBe('FAULTED');
    p.feed(START + 5 * MINUTE, { status: 'Charging', errorCode: 'NoError' });
    expect(p.data('fault')).toEqual([
      {
        code: 'GroundFailure',
        severity: 'critical',
        openedTime: START + MINUTE,
        closedTime: START + 5 * MINUTE,
        recurrence: 0,
        closedBy: 'cleared',
      },
    ]);
    expect(p.state('health')).toBe('ok');
  });

  it('have a name without an error code too, and keep the one they opened with', () => {
    const p = faulted().feed(START + 2 * MINUTE, { errorCode: 'OverVoltage' });
    expect(p.data('fault').map((d) => d.code)).toEqual(['Faulted']);
  });

  it('are warnings beside another status', () => {
    const p = told('Charging').feed(START + MINUTE, { errorCode: 'WeakSignal' });
    expect(p.state('health')).toBe('warning');
    expect(p.data('fault')).toEqual([]);
    expect(p.feed(START + 2 * MINUTE, { errorCode: 'NoError' }).state('health')).toBe('ok');
  });

  it('are never made of a vehicle that does not communicate', () => {
    const p = faulted('EVCommunicationError');
    expect(p.state('health')).toBe('warning');
    expect(p.data('fault')).toEqual([]);
  });
});
