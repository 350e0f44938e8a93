import { describe, expect, it } from 'vitest';
import { parseScenarios } from './parse.ts';
import { runScenario } from './run.ts';

const HEAD = ['scenario A home', 'asset PW-1 powerwall cadence 5m', 'start 2022-07-08T12:00Z'];

/** What fails in a scenario of these lines, as `line: message`. */
async function failures(...lines: string[]): Promise<string[]> {
  const { scenarios, problems } = parseScenarios('f', [...HEAD, ...lines].join('\n'));
  expect(problems).toEqual([]);
  const outcome = await runScenario(scenarios[0], 1);
  return outcome.failures.map((f) => `${f.line}: ${f.message}`);
}

const FAULT = ['+0m powerW=0', '+5m powerW=0 alerts=[X critical]', '+30m powerW=3000 soc=0.5 alerts=[]'];

describe('an expectation', () => {
  it.each([
    'expect fault code=X openedTime=+5m closedTime=+30m severity=critical recurrence=0',
    'expect fault closedTime!=null recurrence<1 openedTime>+4m openedTime<=+5m',
    'expect 1 fault',
    'expect 0 fault code=Y',
    'expect no fault closedTime=null',
    'expect state health = faulted at +6m',
    'expect state health = ok',
    'expect states health: ok > faulted > ok',
    'expect status=STANDBY',
    'expect value soc=0.5',
    'expect value powerW=2900+-200',
    'expect derates=[]',
    'expect counts applied=3 late=0 duplicate=0 invalid=0',
    '+6m expect fault closedTime=null',
    '+6m expect value soc=null',
  ])('that is met: %s', async (line) => {
    expect(await failures(...FAULT, line)).toEqual([]);
  });

  it.each([
    [
      'expect fault code=Y',
      '7: expect fault code=Y: none is so; there is\n      fault code=X severity=critical openedTime=+5m',
    ],
    ['expect fault openedTime=+6m', 'none is so'],
    ['expect 2 fault', '1 are so'],
    ['expect no fault', '1 are so'],
    ['expect grid_event', 'there is none at all'],
    ['expect state health = ok at +6m', 'health is faulted then'],
    ['expect state health = faulted', 'health is ok'],
    ['expect states health: ok > faulted', 'health went ok > faulted > ok'],
    ['expect status=OFFLINE', 'status is STANDBY'],
    ['expect value soc=0.6', 'soc is 0.5'],
    ['expect derates=[RAMP]', 'derates are []'],
    ['expect counts late=1', 'counted: late 0'],
    ['expect refused beyond_horizon', 'refused with beyond_horizon: 0'],
    ['+6m expect fault closedTime=+30m', 'none is so'],
    ['+31m expect no fault', '1 are so'],
  ])('that is not met: %s', async (line, message) => {
    const found = await failures(...FAULT, line);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
    expect(found[0]).toMatch(/^7: /);
  });

  it('looks at the asset that it names', async () => {
    const lines = ['asset PW-2 powerwall cadence 5m', '+0m PW-1 powerW=0', '+0m PW-2 alerts=[X critical]'];
    expect(await failures(...lines, 'expect PW-2 fault', 'expect PW-1 no fault')).toEqual([]);
    expect(await failures(...lines, 'expect PW-1 fault')).toHaveLength(1);
  });
});

describe('a place', () => {
  const lines = ['-1h lifecycle installed siteId=S-1 position=battery-1', '+0m powerW=700', '+5m powerW=800'];

  it('is told what its members tell', async () => {
    expect(await failures(...lines, 'expect site S-1 site_rollup minute=+5m powerW=800 membersFresh=1')).toEqual([]);
    expect(await failures(...lines, 'expect site S-1 no slot_conflict', 'expect no fault')).toEqual([]);
  });

  it('fails an expectation as an asset does', async () => {
    const [failure] = await failures(...lines, 'expect site S-1 site_rollup minute=+5m powerW=700');
    expect(failure).toContain('7: expect site S-1 site_rollup minute=+5m powerW=700: none is so; there are');
    expect(await failures(...lines, 'expect site S-2 site_rollup')).toEqual([
      '7: expect site S-2 site_rollup: none is so; there is none at all',
    ]);
  });
});

describe('the clock', () => {
  it('announces a silence, which ends in the facts', async () => {
    const lines = ['+0m powerW=0', 'silence 1h', '+14m expect status=INITIALIZING', '+40m expect status=OFFLINE'];
    expect(await failures(...lines, 'expect data_gap fromTime=+0m toTime=null')).toEqual([
      '6: +14m expect status=INITIALIZING: status is STANDBY',
    ]);
  });

  it('has timers fire before what comes at the same moment', async () => {
    expect(await failures('+0m powerW=0', '+2h powerW=0', '+2h expect status=STANDBY', 'expect 1 data_gap')).toEqual(
      [],
    );
  });
});

describe('a record that is refused', () => {
  const lines = ['+0m powerW=0', '+30h powerW=0', '+1h late 40h: powerW=0'];

  it('fails the scenario, unless it is expected', async () => {
    expect(await failures(...lines, 'expect no fault')).toEqual(['6: the record was refused: beyond_horizon']);
    expect(await failures(...lines, 'expect 1 refused beyond_horizon')).toEqual([]);
  });
});

describe('another order of arrival', () => {
  // More than a day of readings is folded with the cadence of the kind before the record comes.
  const lines = [
    'every 10m from +0m to +40h: powerW=0',
    '+40h lifecycle installed siteId=S position=p cadenceSeconds=60',
    'expect no fault',
  ];

  it('must end in the same facts', async () => {
    const [first, ...more] = await failures(...lines);
    expect(more).toEqual([]);
    expect(first).toMatch(/^1: in another order of arrival \(seed 1\) the facts are others:/);
    expect(first).toContain('+ data_gap fromTime=+');
  });

  it('unless the scenario says why not', async () => {
    expect(await failures('order matters: the window is a day long', ...lines)).toEqual([]);
  });
});
