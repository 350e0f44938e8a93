import { describe, expect, it } from 'vitest';
import { Fed } from '../testing/harness.ts';

const MINUTE = 60_000;
const START = Date.UTC(2024, 2, 1, 12);

/** A stall fed one reading a minute. */
class Stall extends Fed {
  #n = 0;
  constructor() {
    super('supercharger');
  }
  say(...readings: Record<string, unknown>[]): this {
    for (const fields of readings) this.feed(START + this.#n++ * MINUTE, fields);
    return this;
  }
  /** Lets minutes pass without a reading. */
  pass(minutes: number): this {
    this.#n += minutes;
    return this;
  }
  get sessions() {
    return this.data('charging_session');
  }
  get phases(): string[] {
    return this.states('session');
  }
}

const started = (sessionId: string, more: object = {}) => ({ sessionId, sessionEvent: 'Started', ...more });
const updated = (sessionId: string, more: object = {}) => ({ sessionId, sessionEvent: 'Updated', ...more });
const ended = (sessionId: string, more: object = {}) => ({ sessionId, sessionEvent: 'Ended', ...more });
const minute = (n: number) => START + n * MINUTE;

describe('a charging session', () => {
  it('has everything that its stall told', () => {
    const p = new Stall().say(
      { status: 'Available', deliveredWh: 1000 },
      started('s1', { status: 'Preparing', deliveredWh: 1000, vehicleSoc: 0.2, offeredW: 150_000, seqNo: 0 }),
      updated('s1', { status: 'Charging', vehicleW: 120_000, requestedW: 150_000, seqNo: 1 }),
      updated('s1', { vehicleW: 90_000, deliveredWh: 3000, vehicleSoc: 0.5, seqNo: 2 }),
      updated('s1', { status: 'SuspendedEV', vehicleW: 0, deliveredWh: 4500, vehicleSoc: 0.8, seqNo: 3 }),
      {},
      ended('s1', { status: 'Available', deliveredWh: 4500, stoppedReason: 'EVDisconnected', seqNo: 4 }),
    );
    expect(p.sessions).toEqual([
      {
        sessionId: 's1',
        startTime: minute(1),
        endTime: minute(6),
        energyWh: 3500,
        maxW: 120_000,
        meanW: 42_000,
        offeredW: 150_000,
        limitedSeconds: 0,
        idleSeconds: 120,
        socFrom: 0.2,
        socTo: 0.8,
        stoppedReason: 'EVDisconnected',
        openedBy: 'started',
        closedBy: 'ended',
        exceedsMaxPower: false,
        seqGaps: 0,
      },
    ]);
    expect(p.list('charging_session')[0]).toMatchObject({ key: 'T-1/s1', at: minute(1) });
    expect(p.phases).toEqual(['idle', 'evConnected', 'charging', 'suspended', 'idle']);
  });

  it('is open until it ends', () => {
    const p = new Stall().say(started('s1', { deliveredWh: 0 }), updated('s1', { deliveredWh: 500, vehicleW: 30_000 }));
    expect(p.sessions).toMatchObject([{ energyWh: 500, endTime: null, closedBy: null, meanW: 30_000 }]);
    expect([...p.facts.byKey.keys()].filter((k) => k.startsWith('charging_session'))).toEqual([]);
  });

  it('measures the integral of power where the stall has no register', () => {
    const p = new Stall().say(started('s1'), { vehicleW: 60_000 }, { vehicleW: 30_000 }, ended('s1', { vehicleW: 0 }));
    expect(p.sessions).toMatchObject([{ energyWh: 1500, maxW: 60_000, meanW: 30_000 }]);
  });

  it('takes power with either sign of field', () => {
    const p = new Stall().say(started('s1'), { powerW: -60_000 });
    expect(p.cursor).toMatchObject({ vehicleW: 60_000, powerW: -60_000 });
    p.say({ vehicleW: 0 });
    expect(Object.is(p.cursor.getAt(p.cursor.schema.index('powerW')), 0)).toBe(true);
    expect(p.say({ vehicleW: null }, ended('s1')).sessions).toMatchObject([{ energyWh: 1000 }]);
  });

  it('adds the pieces where the register restarts within it', () => {
    const p = new Stall().say(
      started('s1', { deliveredWh: 9_000_000 }),
      { deliveredWh: 9_000_800 },
      { deliveredWh: 100 },
      ended('s1', { deliveredWh: 700 }),
    );
    expect(p.sessions).toMatchObject([{ energyWh: 1500 }]);
    expect(p.data('counter_reset')).toMatchObject([{ field: 'deliveredWh', before: 9_000_800, after: 100 }]);
  });

  it('is not fooled by a register that says something impossible', () => {
    const p = new Stall().say(started('s1', { deliveredWh: 1000 }), { deliveredWh: 8e12 });
    expect(p.cursor).toMatchObject({ deliveredWh: 1000 });
    expect(p.cursor.invalidFields).not.toBe(0);
    p.say({ deliveredWh: 1600 }, ended('s1', { deliveredWh: 2000 }));
    expect(p.sessions).toMatchObject([{ energyWh: 1000 }]);
    expect(p.cursor.invalidFields).toBe(0);
  });

  it('gets what the register counted since its last report before the start', () => {
    const p = new Stall().say({ deliveredWh: 1000 }, started('s1'), {}, ended('s1', { deliveredWh: 1900 }));
    expect(p.sessions).toMatchObject([{ energyWh: 900 }]);
  });

  it('counts energy into the stall, and its counter is the register', () => {
    const p = new Stall().say({ deliveredWh: 1000, energyInWh: 50 }, { energyInWh: 900 }, { deliveredWh: 1600 });
    expect(p.view.energy).toEqual({ inWh: 600, outWh: 0 });
    expect(p.data('energy_interval')).toMatchObject([{ inWh: 600, outWh: 0, method: 'counter' }]);
    const other = new Stall().say({ energyInWh: 50 }, { energyInWh: 150 });
    expect(other.view.energy.inWh).toBe(100);
  });

  it('is limited while less is offered than asked for, or the stall suspends', () => {
    const p = new Stall().say(
      started('s1', { status: 'Charging', offeredW: 60_000, requestedW: 120_000 }),
      { vehicleW: 60_000 },
      { offeredW: 120_000 },
      { status: 'SuspendedEVSE', vehicleW: 0 },
      { status: 'Charging' },
      {},
      ended('s1'),
    );
    expect(p.sessions).toMatchObject([{ limitedSeconds: 180, offeredW: 120_000 }]);
    expect(p.data('derate_interval')).toMatchObject([
      { cause: 'SHARED_CABINET', fromTime: minute(0), toTime: minute(2), lostWh: 2000 },
    ]);
    expect(new Stall().say({ offeredW: 1, requestedW: 2 }, {}, {}).view.derates).toEqual([]);
  });

  it('is idle from the last energy on, and no more if it charges again', () => {
    const p = new Stall().say(
      started('s1', { status: 'Charging', vehicleW: 50_000 }),
      { status: 'SuspendedEV', vehicleW: 0 },
      { status: 'Charging', vehicleW: 50_000 },
      { status: 'Finishing', vehicleW: 0 },
      {},
      {},
      ended('s1', { status: 'Available' }),
    );
    expect(p.sessions).toMatchObject([{ idleSeconds: 180 }]);
    const byPower = new Stall().say(started('s1', { vehicleW: 50_000 }), { vehicleW: 0 }, {}, ended('s1'));
    expect(byPower.sessions).toMatchObject([{ idleSeconds: 120 }]);
    const full = new Stall().say(
      started('s1', { status: 'Charging', vehicleW: 50_000, vehicleSoc: 0.9 }),
      { vehicleW: 0, vehicleSoc: 1 },
      ended('s1'),
    );
    expect(full.sessions).toMatchObject([{ idleSeconds: 60 }]);
  });

  it('is marked where its mean power is more than was offered', () => {
    const p = new Stall().say(started('s1', { offeredW: 6600, deliveredWh: 0 }), ended('s1', { deliveredWh: 111 }));
    expect(p.sessions).toMatchObject([{ energyWh: 111, meanW: 6660, exceedsMaxPower: true }]);
    const unknown = new Stall().say(started('s1', { deliveredWh: 0 }), ended('s1', { deliveredWh: 111 }));
    expect(unknown.sessions).toMatchObject([{ exceedsMaxPower: null }]);
  });

  it('counts the numbers that are missing', () => {
    const p = new Stall().say(
      started('s1', { seqNo: 0 }),
      updated('s1', { seqNo: 1 }),
      updated('s1', { seqNo: 4 }),
      updated('s1', { seqNo: 4 }),
      ended('s1', { seqNo: 6 }),
      started('s2', { seqNo: 7 }),
      ended('s2', { seqNo: 8 }),
    );
    expect(p.sessions.map((d) => d.seqGaps)).toEqual([3, 0]);
  });
});

describe('a session whose messages are lost', () => {
  it('ends with the status Available', () => {
    const p = new Stall().say(started('s1', { status: 'Charging', deliveredWh: 0 }), { deliveredWh: 800 });
    p.pass(60).say({ status: 'Available', deliveredWh: 900 });
    expect(p.sessions).toMatchObject([{ endTime: minute(62), energyWh: 900, closedBy: 'available' }]);
    expect(p.state('session')).toBe('idle');
  });

  it('does not end where it starts with a card before the vehicle is there', () => {
    const p = new Stall().say({ status: 'Available' }, started('s1', { status: 'Available' }), { status: 'Available' });
    expect(p.sessions).toMatchObject([{ closedBy: null }]);
    const gone = p.say(updated('s1', { status: 'Occupied' }), updated('s1', { status: 'Available' }));
    expect(gone.sessions).toMatchObject([{ closedBy: 'available', endTime: minute(4) }]);
  });

  it('gets its end after all, if that comes behind the status', () => {
    const p = new Stall().say(
      started('s1', { status: 'Charging', deliveredWh: 0 }),
      { status: 'Available', deliveredWh: 800 },
      ended('s1', { deliveredWh: 850, stoppedReason: 'EVDisconnected' }),
    );
    expect(p.sessions).toMatchObject([
      { endTime: minute(2), energyWh: 850, closedBy: 'ended', stoppedReason: 'EVDisconnected' },
    ]);
    expect(p.say(ended('s1', { deliveredWh: 850 })).sessions).toHaveLength(1);
  });

  it('ends where the next one starts, and its late end takes nothing from that', () => {
    const p = new Stall().say(
      started('s1', { deliveredWh: 0 }),
      started('s2', { deliveredWh: 500 }),
      ended('s1', { stoppedReason: 'Local' }),
      ended('s2', { deliveredWh: 700 }),
    );
    expect(p.sessions).toMatchObject([
      { sessionId: 's1', endTime: minute(1), energyWh: 500, closedBy: 'ended', stoppedReason: 'Local' },
      { sessionId: 's2', startTime: minute(1), endTime: minute(3), energyWh: 200, closedBy: 'ended' },
    ]);
    const lost = new Stall().say(started('s1', { deliveredWh: 0 }), started('s2', { deliveredWh: 500 }));
    expect(lost.sessions).toMatchObject([{ closedBy: 'next' }, { closedBy: null }]);
    expect(lost.phases).toEqual(['evConnected', 'evConnected']);
  });

  it('begins with the first message that names it', () => {
    const p = new Stall().say(
      { status: 'Charging', deliveredWh: 100 },
      updated('s1', { deliveredWh: 200, seqNo: 5 }),
      ended('s1', { deliveredWh: 450, seqNo: 6 }),
    );
    expect(p.sessions).toMatchObject([
      { startTime: minute(1), energyWh: 250, openedBy: 'seen', closedBy: 'ended', seqGaps: 0 },
    ]);
  });

  it('begins with an id alone, but not at a stall that is free', () => {
    expect(new Stall().say({ status: 'Charging', sessionId: 's1' }).sessions).toMatchObject([{ openedBy: 'seen' }]);
    expect(new Stall().say({ status: 'Available' }, { sessionId: 's1' }).sessions).toEqual([]);
  });

  it('is known by its end alone, with what the register counted since the reading before', () => {
    const p = new Stall().say({ deliveredWh: 100 }, ended('s1', { deliveredWh: 450, stoppedReason: 'PowerLoss' }));
    expect(p.sessions).toMatchObject([
      {
        startTime: minute(1),
        endTime: minute(1),
        energyWh: 350,
        meanW: null,
        stoppedReason: 'PowerLoss',
        openedBy: 'ended',
        closedBy: 'ended',
      },
    ]);
  });

  it('does not begin anew with a message that is repeated, nor end what it is not', () => {
    const p = new Stall().say(
      started('s1', { deliveredWh: 0 }),
      ended('s1', { deliveredWh: 500 }),
      updated('s1', { deliveredWh: 500 }),
      started('s1'),
      ended('s1'),
      started('s2'),
      ended('s1'),
      { deliveredWh: 600 },
    );
    expect(p.sessions).toMatchObject([
      { sessionId: 's1', energyWh: 500, endTime: minute(1) },
      { sessionId: 's2', energyWh: 100, endTime: null },
    ]);
  });

  it('has a name of its own where none is told', () => {
    const p = new Stall().say({ sessionEvent: 'Started' }, { sessionEvent: 'Ended' });
    expect(p.sessions).toMatchObject([{ sessionId: '2024-03-01T12:00:00.000Z', closedBy: 'ended' }]);
    expect(new Stall().say({ sessionEvent: 'Ended' }).sessions).toEqual([]);
    const before = new Stall().say({ status: 'Available', sessionId: 's7' }, { sessionEvent: 'Started' });
    expect(before.sessions).toMatchObject([{ sessionId: 's7' }]);
  });

  it('of a stall that was offline is folded at its own time', () => {
    const calm = new Stall().say(
      started('s1', { deliveredWh: 0, offline: true, status: 'Occupied' }),
      ended('s1', { deliveredWh: 400, offline: true, status: 'Available' }),
      { deliveredWh: 400 },
    );
    expect(calm.sessions).toMatchObject([{ startTime: minute(0), endTime: minute(1), energyWh: 400 }]);
  });

  it('outlasts a fault, and a stall that is taken out of use', () => {
    const p = new Stall().say(
      started('s1', { status: 'Charging', deliveredWh: 0 }),
      { status: 'Faulted', errorCode: 'GroundFailure' },
      { status: 'Unavailable' },
      ended('s1', { deliveredWh: 10, stoppedReason: 'GroundFault' }),
    );
    expect(p.sessions).toMatchObject([{ energyWh: 10, endTime: minute(3), stoppedReason: 'GroundFault' }]);
  });
});

describe('region session', () => {
  it('goes from the vehicle’s arrival to its departure', () => {
    const p = new Stall().say(
      { status: 'Available' },
      { status: 'Preparing' },
      started('s1'),
      { status: 'Charging' },
      { status: 'SuspendedEVSE' },
      { status: 'Charging' },
      { status: 'Finishing' },
      ended('s1'),
      {},
      { status: 'Available' },
    );
    expect(p.phases).toEqual([
      'idle',
      'authorizing',
      'evConnected',
      'charging',
      'suspended',
      'charging',
      'ending',
      'idle',
    ]);
  });

  it('goes back where nobody starts, and begins again where the vehicle stays', () => {
    expect(new Stall().say({ status: 'Preparing' }, { status: 'Available' }).phases).toEqual(['authorizing', 'idle']);
    const p = new Stall().say(started('s1', { status: 'Charging' }), ended('s1', { status: 'Finishing' }));
    expect(p.say({ status: 'Preparing' }).state('session')).toBe('authorizing');
  });

  it('is told by power where the status is coarse', () => {
    const p = new Stall().say(
      started('s1', { status: 'Occupied' }),
      { vehicleW: 80_000 },
      { vehicleW: 10 },
      ended('s1', { status: 'Available' }),
    );
    expect(p.phases).toEqual(['evConnected', 'charging', 'suspended', 'idle']);
  });
});
