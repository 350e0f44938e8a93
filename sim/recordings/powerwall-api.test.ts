import { describe, expect, test } from 'vitest';
import { collect, onRealData, readings, realData, withFile } from './data.testing.ts';
import { openRecording } from './index.ts';

const readJson = (capture: unknown, options = {}) =>
  withFile('answer.json', typeof capture === 'string' ? capture : JSON.stringify(capture), async (file) =>
    readings(await collect(openRecording('powerwall-api', file, options))),
  );

const at = '2022-02-26T15:38:51-08:00';

const alertNames = (fields: Record<string, unknown>) => (fields.alerts as { name: string }[]).map((a) => a.name);

describe('powerwall-api', () => {
  test('passes on a disabled block as the API tells it', async () => {
    const block = { PackageSerialNumber: 'XXX', p_out: null, f_out: null, pinv_state: '', pinv_grid_state: '' };
    const capture = {
      battery_blocks: [{ ...block, OpSeqState: 'Standby', disabled_reasons: ['DisabledArcFaultLockout'] }],
    };
    expect(await readJson(capture, { at })).toEqual([
      {
        serial: 'XXX',
        kind: 'powerwall',
        deviceTime: '2022-02-26T23:38:51.000Z',
        receiveTime: '2022-02-26T23:38:51.000Z',
        txid: 'system_status-1645918731000',
        fields: {
          powerW: null,
          frequencyHz: null,
          inverterState: '',
          inverterGridState: '',
          opSeqState: 'Standby',
          disabledReasons: ['DisabledArcFaultLockout'],
        },
      },
    ]);
  });

  test('makes serials distinct that a file gives twice', async () => {
    const blocks = ['TG1', 'TG2', 'TG1', 'TG1'].map((PackageSerialNumber) => ({ PackageSerialNumber }));
    const values = await readJson({ battery_blocks: blocks }, { at, serialPrefix: 'H' });
    expect(values.map((v) => v.serial)).toEqual(['H-TG1-1', 'H-TG2', 'H-TG1-2', 'H-TG1-3']);
  });

  test('a home without serials is called as the caller says, or as the file', async () => {
    const capture = { battery: { instant_power: 5 }, solar: { instant_power: 7 } };
    expect((await readJson(capture, { at })).map((v) => v.serial)).toEqual(['answer-PW', 'answer-PV']);
    expect((await readJson(capture, { at, serialPrefix: 'H' })).map((v) => v.serial)).toEqual(['H-PW', 'H-PV']);
    expect(await readJson({ battery_blocks: null }, { at })).toEqual([]);
  });

  test('takes its time from the answer, and no placeholder or length of time for one', async () => {
    const meter = { instant_power: 1, timeout: 1_500_000_000, last_communication_time: '0001-01-01T00:00:00Z' };
    const capture = { site: meter, checks: [{ start_time: '2020-01-01T00:00:00Z', end_time: '2020-01-01T00:00:01Z' }] };
    expect((await readJson(capture))[0].deviceTime).toBe('2020-01-01T00:00:01.000Z');
  });

  test('gives vitals to the Powerwall they belong to, and its fault to no other', async () => {
    const part = (parent: string, signals = {}) => ({ componentParentDin: parent, ...signals });
    const values = await readJson(
      {
        'STSTSM--1--GW': {
          alerts: ['GridCodesWrite', 'GridCodesWrite', 'BatteryFault'],
          lastCommunicationTime: 1645918731,
        },
        'TETHC--3--A': part('STSTSM--1--GW', { THC_AmbientTemp: 20, lastCommunicationTime: '0001-01-01T00:00:00Z' }),
        'TETHC--3--B': part('STSTSM--1--GW', { THC_AmbientTemp: -256 }),
        'TEPOD--1--P1': part('TETHC--3--A', { alerts: ['POD_f029_HW_CMA_OV'], POD_PermanentlyFaulted: true }),
        'TEPOD--1--P2': part('TETHC--3--B', { POD_nom_energy_remaining: 7000, POD_nom_full_pack_energy: 13000 }),
        'TEPINV--1--I2': part('TETHC--3--B', { PINV_Pout: -1.35, PINV_VSplit1: 121, PINV_VSplit2: 120.5 }),
      },
      {},
    );
    expect(values.map((v) => [v.serial, v.deviceTime])).toEqual([
      ['A', '2022-02-26T23:38:51.000Z'],
      ['B', '2022-02-26T23:38:51.000Z'],
    ]);
    expect(values[0].fields.alerts).toEqual([
      { name: 'POD_f029_HW_CMA_OV' },
      { name: 'POD_PermanentlyFaulted', severity: 'rma' },
      { name: 'GridCodesWrite' },
      { name: 'GridCodesWrite' },
      { name: 'BatteryFault' },
    ]);
    expect(values[1].fields).toEqual({
      energyRemainingWh: 7000,
      energyFullWh: 13_000,
      tempC: -256,
      powerW: -1350,
      voltageV: 241.5,
      alerts: [{ name: 'GridCodesWrite' }, { name: 'GridCodesWrite' }],
    });
  });

  test.each([
    ['{"a": 1,\n "b": }', 'recording_malformed', /line 2: not JSON/],
    ['[1]', 'recording_malformed', /not a JSON object/],
    ['{"version": "23.1"}', 'recording_malformed', /none of the answers/],
  ])('refuses what is no answer of the API (%#)', async (content, code, message) => {
    await expect(readJson(content)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('refuses a capture time that leaves its offset open', async () => {
    await expect(readJson({ grid_status: 'SystemGridConnected' }, { at: '2022-01-01T00:00:00' })).rejects.toMatchObject(
      {
        code: 'recording_option_invalid',
      },
    );
  });

  const captures: [file: string, deviceTime: string | null, serials: string[]][] = [
    ['jrester_grid_status', null, ['jrester_grid_status-PW']],
    [
      'jrester_meters_aggregates',
      '2020-04-09T12:50:38.990Z',
      ['jrester_meters_aggregates-PW', 'jrester_meters_aggregates-PV'],
    ],
    ['jrester_powerwalls', '2020-10-29T14:02:46.361Z', ['SerialNumber1', 'SerialNumber2']],
    ['jrester_system_status', '2021-10-12T05:13:11.828Z', ['TGXXX-1', 'TGXXX-2', 'XXX']],
    [
      'pypowerwall_api.meters.aggregates',
      '2023-12-16T16:33:19.496Z',
      ['pypowerwall_api.meters.aggregates-PW', 'pypowerwall_api.meters.aggregates-PV'],
    ],
    ['pypowerwall_api.powerwalls', '2023-12-16T16:34:17.321Z', ['TG1234567890G1-1', 'TG1234567890G1-2']],
    ['pypowerwall_api.system_status', '2023-10-13T11:08:05.957Z', ['TG123456789012-1', 'TG123456789012-2']],
    ['pypowerwall_vitals-example-failed-pw', '2022-02-26T23:38:51.000Z', ['TG121094002C9V']],
    ['pypowerwall_vitals-example-latest', '2022-02-26T22:29:55.000Z', ['XXXXXXXXXX-1', 'XXXXXXXXXX-2', 'XXXXXXXXXX-3']],
    [
      'pypowerwall_vitals-example',
      '2022-01-21T05:29:12.000Z',
      ['TGxxxxxxxxxxxx-1', 'TGxxxxxxxxxxxx-2', 'CNxxxxxxxxxxxx'],
    ],
  ];
  const present = realData('powerwall_api_captures/jrester_grid_status.json');
  test.skipIf(present === null).each(captures)(onRealData('%s is understood', present), async (name, time, serials) => {
    const file = realData(`powerwall_api_captures/${name}.json`);
    const values = readings(await collect(openRecording('powerwall-api', file!)));
    expect(values.map((v) => v.serial)).toEqual(serials);
    if (time !== null) expect(values.map((v) => v.deviceTime)).toEqual(serials.map(() => time));
  });

  test.skipIf(present === null)(onRealData('values and placeholders of the real answers', present), async () => {
    const read = async (name: string) =>
      readings(await collect(openRecording('powerwall-api', realData(`powerwall_api_captures/${name}.json`)!)));
    const blocks = await read('jrester_system_status');
    expect(blocks[0].fields).toMatchObject({ powerW: -1830, energyInWh: 5_525_740, gridStatus: 'SystemGridConnected' });
    expect(blocks[2].fields).toMatchObject({ powerW: null, disabledReasons: ['DisabledExcessiveVoltageDrop'] });
    const [failed] = await read('pypowerwall_vitals-example-failed-pw');
    expect(alertNames(failed.fields)).toContain('POD_f029_HW_CMA_OV');
    expect(failed.fields.alerts).toContainEqual({ name: 'POD_f029_HW_CMA_OV' });
    const [first, second, roof] = await read('pypowerwall_vitals-example');
    expect([first.fields.powerW, second.fields.powerW, roof.fields.powerW]).toEqual([660, 650, 0]);
    expect(alertNames(first.fields).filter((name) => name === 'GridCodesWrite')).toHaveLength(2);
    expect(roof.fields).toMatchObject({
      stringsConnected: 3,
      stringsTotal: 4,
      alerts: [{ name: 'PVS_a018_MciStringB' }],
    });
    const [home, solar] = await read('jrester_meters_aggregates');
    expect(home.fields).toMatchObject({ powerW: -10, energyOutWh: 4_379_890, siteW: -5347.455078125 });
    expect(solar.fields).toMatchObject({ powerW: 6099.032958984375 });
  });
});
