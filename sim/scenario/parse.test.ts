import { describe, expect, it } from 'vitest';
import { parseScenarios } from './parse.ts';
import type { Scenario } from './script.ts';

const HEAD = ['scenario A title', 'asset PW-1 powerwall cadence 5m zone Europe/Rome', 'start 2022-07-08T22:30+02:00'];
const START = Date.UTC(2022, 6, 8, 20, 30);
const MINUTE = 60_000;

/** What is wrong with lines that stand below a good head; `expect no fault` is added. */
function complaints(...lines: string[]): string[] {
  const { problems } = parseScenarios('f.scenario', [...HEAD, ...lines, 'expect no fault'].join('\n'));
  return problems.map((p) => `${p.file}:${p.line}: ${p.message}`);
}

function parsed(...lines: string[]): Scenario {
  const { scenarios, problems } = parseScenarios('f.scenario', [...HEAD, ...lines, 'expect no fault'].join('\n'));
  expect(problems).toEqual([]);
  return scenarios[0];
}

const minutes = (s: Scenario) => s.arrivals.map((a) => [(a.at - START) / MINUTE, (a.arrives - START) / MINUTE]);
const fields = (s: Scenario) => s.arrivals.map((a) => a.record.fields);

describe('times', () => {
  it.each([
    ['+0m', 0],
    ['+90s', 1.5],
    ['+1h30m', 90],
    ['-2d', -2880],
    ['23:00', 30],
    ['00:15+1d', 105],
    ['2022-07-08T22:40+02:00', 10],
    ['2022-07-08T20:50:30Z', 20.5],
  ])('%s is %d minutes after the start', (time, expected) => {
    expect(minutes(parsed(`${time} powerW=0`))).toEqual([[expected, expected]]);
  });

  it('a reading may come late, or be stamped by a clock that is wrong', () => {
    expect(minutes(parsed('+5m late 3h: powerW=0'))).toEqual([[5, 185]]);
    expect(minutes(parsed('+5m stamped +70m: powerW=0'))).toEqual([[70, 5]]);
  });

  it('every goes on one step after the last line, or runs between two times', () => {
    expect(minutes(parsed('+5m powerW=0', 'every 10m for 20m: powerW=1')).map(([at]) => at)).toEqual([5, 15, 25]);
    expect(minutes(parsed('every 5m from +0m to +10m: powerW=1')).map(([at]) => at)).toEqual([0, 5, 10]);
    expect(fields(parsed('every 5m from +0m to +10m: energyOutWh=100..200'))).toEqual([
      { energyOutWh: 100 },
      { energyOutWh: 150 },
      { energyOutWh: 200 },
    ]);
  });

  it('silence moves on, and the end of all is the last thing that happens', () => {
    const s = parsed('+5m powerW=0', 'silence 1h', 'every 5m for 5m: powerW=0');
    expect(minutes(s).map(([at]) => at)).toEqual([5, 70]);
    expect(parsed('+5m powerW=0', 'silence 1h').end).toBe(START + 65 * MINUTE);
  });
});

describe('values', () => {
  it('are those of the field', () => {
    const line =
      '+0m powerW=-1500 soc=null gridStatus=SystemGridConnected stormMode=true firmware="1.2 b" disabledReasons=[A, B]';
    expect(fields(parsed(line))).toEqual([
      {
        powerW: -1500,
        soc: null,
        gridStatus: 'SystemGridConnected',
        stormMode: true,
        firmware: '1.2 b',
        disabledReasons: ['A', 'B'],
      },
    ]);
  });

  it('of alerts have a severity and times', () => {
    expect(fields(parsed('+0m alerts=[X critical from -10m to +5m, Y]'))).toEqual([
      {
        alerts: [
          {
            name: 'X',
            severity: 'critical',
            startedAt: '2022-07-08T20:20:00.000Z',
            endedAt: '2022-07-08T20:35:00.000Z',
          },
          { name: 'Y' },
        ],
      },
    ]);
  });

  it('and fields that nobody knows pass with a question mark', () => {
    expect(fields(parsed('+0m ?colour=red gridStatus=?SystemSomething'))).toEqual([
      { colour: 'red', gridStatus: 'SystemSomething' },
    ]);
  });
});

describe('lifecycle', () => {
  it('has an id, data, and a time at which it was recorded', () => {
    const [arrival] = parsed(
      '+0m late 2d: lifecycle installed id=i1 siteId=S-1 position=roof cadenceSeconds=60',
    ).arrivals;
    expect(arrival).toMatchObject({ topic: 'lifecycle', at: START, arrives: START + 2 * 1440 * MINUTE });
    expect(arrival.record).toMatchObject({
      id: 'i1',
      type: 'installed',
      recordTime: '2022-07-10T20:30:00.000Z',
      data: { siteId: 'S-1', position: 'roof', cadenceSeconds: 60 },
    });
    const told = parsed('+0m recorded +1h: lifecycle shipped').arrivals[0];
    expect(told.record).toMatchObject({ id: 'line-4', recordTime: '2022-07-08T21:30:00.000Z' });
  });
});

describe('examples', () => {
  it('make a scenario of each row', () => {
    const head = ['scenario {n} W', ...HEAD.slice(1), '+0m powerW={n} firmware="{v}"', 'expect no fault'];
    const { scenarios, problems } = parseScenarios('f', [...head, 'examples n v', '  5 a', '  6 "b c"'].join('\n'));
    expect(problems).toEqual([]);
    expect(scenarios.map((s) => [s.line, s.title])).toEqual([
      [7, '5 W'],
      [8, '6 W'],
    ]);
    expect(scenarios.flatMap(fields)).toEqual([
      { powerW: 5, firmware: 'a' },
      { powerW: 6, firmware: 'b c' },
    ]);
  });

  it('must have as many values as names', () => {
    const { problems } = parseScenarios('f', [...HEAD, 'expect no fault', 'examples a b', ' 1 2', ' 1'].join('\n'));
    expect(problems).toEqual([{ file: 'f', line: 7, message: 'the row has 1 values, the head has 2: a, b' }]);
  });
});

describe('what cannot be understood is told with its line and with what would be valid', () => {
  it.each([
    ['+0m powrW=5', 'f.scenario:4: there is no field of a powerwall "powrW", did you mean powerW?'],
    ['+0m powerW=much', 'f.scenario:4: powerW is a number, not "much"'],
    ['+0m gridStatus=Fine', 'f.scenario:4: gridStatus is one of SystemGridConnected'],
    ['+0m stormMode=1', 'stormMode is true or false'],
    ['+0m disabledReasons=A', 'write disabledReasons=[A, B]'],
    ['+0m alerts=[X urgent]', '"urgent" in an alert'],
    ['+0m', 'a reading needs at least one field'],
    ['+5x powerW=0', '"5x" is no duration: write 90s, 10m, 1h30m or 2d'],
    ['25:99+x powerW=0', '"25:99+x" is no time'],
    ['+0m sometimes powerW=0', '"sometimes" is neither an asset of this scenario nor one of late DURATION'],
    ['+0m lifecycle instaled siteId=S', 'there is no lifecycle record "instaled", did you mean installed?'],
    ['+0m lifecycle installed site=S', 'there is no part of lifecycle record installed "site", did you mean siteId?'],
    ['expect site S-1', 'write expect site KEY FACT column=value...'],
    ['expect site S-1 slot_confict', 'there is no fact type "slot_confict", did you mean slot_conflict?'],
    ['expect slot_conflict', 'there is no fact type "slot_conflict"'],
    ['+0m recorded +1m: powerW=0', 'recorded TIME is of lifecycle records'],
    ['+0m resend lifecycle shipped', 'a lifecycle record takes none: late DURATION, recorded TIME'],
    ['expect falt', 'there is no fact type "falt", did you mean fault?'],
    ['expect fault cod=1', 'there is no column of fault "cod", did you mean code?'],
    ['expect fault openedTime=soon', '"soon" is no time'],
    ['expect energy_interval outWh=much', 'outWh is a number'],
    ['expect grid_event intentional=maybe', 'intentional is true, false or null'],
    ['expect state opration = standby', 'there is no region of a powerwall "opration", did you mean operation?'],
    ['expect state operation = runing', 'there is no state of region operation "runing"'],
    ['expect states operation: standby > runing', 'there is no state of region operation "runing"'],
    ['expect refused because', 'there is no reason "because"'],
    ['expect counts last=1', 'counts are applied, duplicate, late, invalid'],
    ['expect value colour=red', 'a powerwall has no field colour'],
    ['expect', 'what is expected? expect [no|N] FACT column=value...'],
    ['sleep 3h', '"sleep" begins no line; valid: covers, asset, start'],
    ['order matter', 'write order matters: REASON'],
    ['+0m firmware="1', 'a quote is not closed'],
    ['+0m alerts=[A', 'brackets do not match'],
    ['every 5m powerW=0', 'write every 10m for 2h'],
    ['every 1ms for 30d: powerW=0', 'that is no reading, or too many'],
    ['asset PW-1 powerwall', 'asset PW-1 is named twice'],
    ['asset PW-2 powerwal', 'there is no kind "powerwal", did you mean powerwall?'],
    ['asset PW-2 powerwall cadence 1m', 'cadence and zone are those of the kind'],
    ['asset INV-1 inverter zone Roma', '"Roma" is no IANA time zone'],
    ['start 2022-07-08', 'the scenario has started already'],
  ])('%s', (line, message) => {
    const found = complaints(line);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
    expect(found[0]).toContain('f.scenario:4: ');
  });

  it('a silence during which something arrives', () => {
    expect(complaints('+0m powerW=0', 'silence 1h', '+5m late 20m: powerW=0')).toEqual([
      'f.scenario:5: the silence is broken by what line 6 lets arrive',
    ]);
  });

  it('an asset that is not named where there are several', () => {
    const two = (line: string) => complaints('asset PW-2 powerwall cadence 5m zone Europe/Rome', line);
    expect(two('+0m powerW=0')[0]).toContain('which asset? Write its serial: PW-1, PW-2');
    expect(two('+0m PW-1 powerW=0')[0]).toContain('f.scenario:6: of which asset?');
  });

  it('once, where the head itself is wrong', () => {
    const lines = ['scenario A', 'asset X nothing', 'start 2022-07-08T00:00Z', '+0m powerW=0', 'expect no fault'];
    expect(parseScenarios('f', lines.join('\n')).problems).toMatchObject([{ line: 2 }]);
    const late = ['scenario A', 'asset X powerwall', 'start today', '+0m powerW=0', 'expect no fault'];
    expect(parseScenarios('f', late.join('\n')).problems).toMatchObject([{ line: 3 }]);
  });

  it('a scenario that expects nothing, a file without one', () => {
    expect(parseScenarios('f', HEAD.join('\n')).problems).toMatchObject([
      { line: 1, message: 'the scenario expects nothing: write expect ...' },
    ]);
    expect(parseScenarios('f', '# nothing\n').problems).toMatchObject([{ line: 1 }]);
  });
});
