import { describe, expect, it } from 'vitest';
import { Fed } from '../testing/harness.ts';

const START = Date.UTC(2022, 6, 8, 12);

class Home extends Fed {
  #n = 0;
  constructor() {
    super('powerwall');
  }
  say(...readings: Record<string, unknown>[]): this {
    for (const fields of readings) this.feed(START + this.#n++ * 60_000, { loadW: 500, powerW: 600, ...fields });
    return this;
  }
  status(...words: string[]): this {
    return this.say(...words.map((gridStatus) => ({ gridStatus })));
  }
}

const home = () => new Home();

describe('grid of a Powerwall', () => {
  it('is unknown until somebody tells', () => {
    expect(home().say({}).state('grid')).toBe('unknown');
  });

  it.each([
    ['SystemGridConnected', 'gridTied'],
    ['SystemTransitionToIsland', 'transitionToIsland'],
    ['SystemIslandedReady', 'islandedReady'],
    ['SystemIslandedActive', 'islanded'],
    ['SystemTransitionToGrid', 'transitionToGrid'],
    ['SystemMicroGridFaulted', 'microGridFaulted'],
    ['SystemWaitForUser', 'waitForUser'],
    ['on_grid', 'gridTied'],
    ['off_grid', 'islanded'],
  ])('%s means %s, wherever it was before', (word, state) => {
    expect(home().status(word).state('grid')).toBe(state);
    expect(home().status('SystemGridConnected', word).state('grid')).toBe(state);
    expect(home().status('SystemIslandedActive', word).state('grid')).toBe(state);
  });

  it('stays where it was at a word that nobody knows', () => {
    const p = home().status('SystemGridConnected', 'SystemSomething', 'island_status_unknown');
    expect(p.state('grid')).toBe('gridTied');
  });

  it('goes through an outage and back', () => {
    const p = home().status(
      'SystemGridConnected',
      'SystemTransitionToIsland',
      'SystemIslandedActive',
      'SystemIslandedReady',
      'SystemTransitionToGrid',
      'SystemGridConnected',
    );
    expect(p.states('grid')).toEqual([
      'gridTied',
      'transitionToIsland',
      'islanded',
      'islandedReady',
      'transitionToGrid',
      'gridTied',
    ]);
    expect(p.data('grid_event')).toEqual([
      {
        fromTime: START + 60_000,
        toTime: START + 300_000,
        intentional: false,
        durationMs: 240_000,
        energyServedWh: 40,
        socFrom: null,
        socTo: null,
      },
    ]);
  });

  it('falls back to the island when synchronising failed', () => {
    const p = home().status('SystemIslandedActive', 'SystemTransitionToGrid');
    p.say({ alerts: [{ name: 'GridResynchronizationFailed' }] });
    expect(p.state('grid')).toBe('islanded');
  });

  it('waits for the sun where the battery is too empty, without flapping', () => {
    const p = home()
      .status('SystemIslandedActive')
      .say({ alerts: [{ name: 'WaitForSolar' }] });
    p.status('SystemIslandedActive', 'SystemIslandedActive');
    expect(p.states('grid')).toEqual(['islanded', 'waitForSolar']);
    expect(p.say({ gridStatus: 'SystemIslandedActive', alerts: [] }).state('grid')).toBe('islanded');
  });

  it('takes the inverter at its word where no gateway speaks', () => {
    expect(home().say({ inverterState: 'PINV_GridForming' }).state('grid')).toBe('islanded');
    expect(home().say({ inverterState: 'PINV_GridFollowing' }).state('grid')).toBe('gridTied');
    const p = home().status('SystemGridConnected').say({ inverterState: 'PINV_GridForming' });
    expect(p.state('grid')).toBe('gridTied');
  });

  it('knows an island that was meant', () => {
    const scheduled = home().status('SystemGridConnected');
    scheduled.say({ gridStatus: 'SystemIslandedActive', soc: 0.8 });
    scheduled.say({ alerts: [{ name: 'ScheduledIslandContactorOpen' }] });
    expect(scheduled.data('grid_event')).toMatchObject([{ intentional: true, toTime: null, socFrom: 0.8 }]);
    expect(home().status('off_grid_intentional').data('grid_event')).toMatchObject([{ intentional: true }]);
    expect(home().status('off_grid_unintentional').data('grid_event')).toMatchObject([{ intentional: false }]);
  });

  it('shows the island in the status', () => {
    expect(home().status('SystemIslandedActive').view.status).toBe('ISLANDED');
    expect(home().status('SystemTransitionToIsland').view.status).not.toBe('ISLANDED');
  });
});
