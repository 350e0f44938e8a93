import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Tables } from '../testing/tables.ts';

const day = (n: number) => `2022-05-${String(n).padStart(2, '0')}T00:00:00.000Z`;

describe('views of life, slots and reliability', () => {
  let tables: Tables;
  beforeEach(async () => {
    tables = await Tables.open();
  });
  afterEach(() => tables.remove());

  const inService = (serial: string, from: string, to: string | null) => {
    tables.state(serial, 'lifecycle', 'installed', day(1), from).state(serial, 'lifecycle', 'inService', from, to);
    if (to !== null) tables.state(serial, 'lifecycle', 'decommissioned', to, null);
  };

  it('says how long each phase lasted, and since when the present one', async () => {
    inService('A', day(3), day(10));
    tables.state('A', 'operation', 'standby', day(1), null);
    const times = 'SELECT phase, entries, first_time, seconds, since FROM phase_times ORDER BY first_time';
    expect(await tables.rows(times)).toEqual([
      ['installed', 1, day(1), 2 * 86_400, null],
      ['inService', 1, day(3), 7 * 86_400, null],
      ['decommissioned', 1, day(10), 0, day(10)],
    ]);
    tables.state('A', 'lifecycle', 'inService', day(3), null);
    tables.state('A', 'lifecycle', 'decommissioned', day(10), null, { op: 'retract' });
    expect((await tables.rows(times)).slice(1)).toEqual([['inService', 1, day(3), 0, day(3)]]);
  });

  it('finds who followed whom in a slot, and the time between', async () => {
    tables
      .holds('A', 'S-1', 'left', day(1), day(5))
      .holds('B', 'S-1', 'left', day(6), null, { replaces: 'A' })
      .holds('C', 'S-1', 'left', day(9), null)
      .holds('D', 'S-1', 'right', day(2), null);
    expect(
      await tables.rows(
        'SELECT slot, old_serial, new_serial, left_time, entered_time, gap_s, told_serial FROM replacements ORDER BY entered_time',
      ),
    ).toEqual([
      ['left', 'A', 'B', day(5), day(6), 86_400, 'A'],
      ['left', 'B', 'C', null, day(9), null, null],
    ]);
  });

  it('keeps the energy of a slot going through a replacement', async () => {
    tables.holds('A', 'S-1', 'left', day(1), day(3)).holds('B', 'S-1', 'left', day(3), null);
    for (const [n, serial] of [
      [1, 'A'],
      [2, 'A'],
      [3, 'B'],
      [4, 'B'],
    ] as const)
      tables.energy(serial, day(n), n, 0);
    tables.energy('A', day(4), 1000, 0);
    expect(await tables.rows('SELECT day, in_wh, lifetime_in_wh, assets FROM slot_energy_daily ORDER BY day')).toEqual([
      ['2022-05-01', 1, 1, 1],
      ['2022-05-02', 2, 3, 1],
      ['2022-05-03', 3, 6, 1],
      ['2022-05-04', 4, 10, 1],
    ]);
  });

  it('loses no energy where one asset follows another within an interval', async () => {
    tables
      .holds('A', 'S-1', 'left', day(1), '2022-05-03T12:03:00Z')
      .holds('A', 'S-2', 'left', '2022-05-03T12:04:00Z', null);
    tables.holds('B', 'S-1', 'left', '2022-05-03T12:07:00Z', null);
    for (const serial of ['A', 'B'])
      tables.energy(serial, '2022-05-03T12:00:00Z', 1, 0).energy(serial, '2022-05-03T12:15:00Z', 10, 0);
    expect(await tables.rows('SELECT site_id, in_wh FROM slot_energy_daily ORDER BY site_id')).toEqual([
      ['S-1', 12],
      ['S-2', 10],
    ]);
  });

  it('does not take the interval in which an asset is commissioned for one before', async () => {
    inService('A', '2022-05-03T12:07:00Z', null);
    tables.energy('A', '2022-05-03T11:45:00Z', 0, 1).energy('A', '2022-05-03T12:00:00Z', 0, 2);
    expect(await tables.rows('SELECT anomaly, intervals FROM lifecycle_anomalies')).toEqual([
      ['before_commissioning', 1],
    ]);
  });

  it('shows readings before and after service, and a late record takes the anomaly back', async () => {
    inService('A', day(3), day(10));
    for (const n of [2, 4, 11, 12]) tables.energy('A', day(n), 0, n);
    tables.energy('A', '2022-04-30T00:00:00Z', 0, 1).energy('B', day(2), 0, 1);
    const anomalies = 'SELECT anomaly, phase, from_time, out_wh, intervals FROM lifecycle_anomalies ORDER BY from_time';
    expect(await tables.rows(anomalies)).toEqual([
      ['before_first_record', null, '2022-04-30T00:00:00.000Z', 1, 1],
      ['before_commissioning', 'installed', day(2), 2, 1],
      ['after_decommissioning', 'decommissioned', day(11), 23, 2],
    ]);
    inService('A', day(3), null);
    tables.state('A', 'lifecycle', 'decommissioned', day(10), null, { op: 'retract' });
    expect(await tables.rows(`SELECT anomaly FROM (${anomalies})`)).toEqual([
      ['before_first_record'],
      ['before_commissioning'],
    ]);
  });

  it('says which firmware ran when, and believes the asset before the records', async () => {
    const update = (serial: string, source: string, from: string | null, to: string, n: number, ok = true) =>
      tables.say('firmware_update', serial, `${source}/${n}`, day(n), {
        fromVersion: from,
        toVersion: to,
        completedTime: day(n),
        ok,
        rollback: false,
        source,
      });
    update('A', 'telemetry', '1.0', '1.1', 2);
    update('A', 'lifecycle', null, '1.1', 3);
    update('A', 'telemetry', '1.1', '1.2', 5);
    update('B', 'lifecycle', null, '2.0', 4);
    update('B', 'lifecycle', '2.0', '2.1', 6, false);
    expect(
      await tables.rows(
        'SELECT serial, version, from_time, to_time FROM firmware_versions ORDER BY serial, from_time NULLS FIRST',
      ),
    ).toEqual([
      ['A', '1.0', null, day(2)],
      ['A', '1.1', day(2), day(5)],
      ['A', '1.2', day(5), null],
      ['B', '2.0', day(4), null],
    ]);
  });

  it('divides time in service by incidents, and repair time by those that closed', async () => {
    inService('A', day(3), day(10));
    tables.holds('A', 'S-1', 'left', day(1), day(10), { model: 'PW2' });
    tables.state('A', 'connectivity', 'online', day(1), day(12)).state('B', 'connectivity', 'online', day(1), day(5));
    // Of A: one before service, two in it of which one came back, one after it. B has no lifecycle: always in service.
    tables
      .fault('A', 'F1', day(2), day(3))
      .fault('A', 'F1', day(4), day(6), 2)
      .fault('A', 'F2', day(8), null)
      .fault('A', 'F1', day(11), null);
    tables.fault('B', 'F1', day(2), day(3));
    const of = (groupedBy: string) =>
      tables.rows(
        `SELECT coalesce(model, site_id), assets, exposure_h, incidents, open_incidents, repair_h, mtbf_h, mttr_h
         FROM reliability WHERE grouped_by = $1 ORDER BY 1 NULLS LAST`,
        [groupedBy],
      );
    const a = [1, 7 * 24, 2, 1, 48, 84, 48];
    const b = [1, 4 * 24, 1, 0, 24, 96, 24];
    expect(await of('kind')).toEqual([[null, 2, 11 * 24, 3, 1, 72, 88, 36]]);
    expect(await of('model')).toEqual([
      ['PW2', ...a],
      [null, ...b],
    ]);
    expect(await of('site')).toEqual([
      ['S-1', ...a],
      [null, ...b],
    ]);
    tables.fault('A', 'F2', day(8), null, 0, { op: 'retract' });
    expect((await of('site'))[0]).toEqual(['S-1', 1, 168, 1, 0, 48, 168, 48]);
  });

  it('counts no incident where a part is away for the reboot of an update, and does where it stays away', async () => {
    tables.state('A', 'connectivity', 'online', day(1), day(9));
    const at = (n: number, time: string) => day(n).replace('00:00', time);
    tables.state('A', 'firmware', 'rebooting', at(2, '10:00'), at(2, '10:10'));
    tables.say('firmware_update', 'A', 'telemetry/4', at(4, '10:20'), {
      ...{ fromVersion: '1.0', toVersion: '1.1', ok: true, rollback: false, source: 'telemetry' },
      ...{ startedTime: at(4, '10:00'), completedTime: at(4, '10:20') },
    });
    tables
      .fault('A', 'BatteryComms', at(2, '10:05'), at(2, '10:12'))
      .fault('A', 'PINV_f010_can_gtwMIA', at(4, '10:20'), at(4, '10:25'));
    const incidents = `SELECT incidents FROM reliability WHERE grouped_by = 'kind'`;
    expect(await tables.rows(incidents)).toEqual([[0]]);
    tables
      .fault('A', 'BatteryComms', at(4, '10:20'), at(4, '11:00'))
      .fault('A', 'MeterComms', at(4, '10:22'), null)
      .fault('A', 'BatteryComms', at(2, '09:59'), at(2, '10:12'))
      .fault('A', 'POD_f029_HW_CMA_OV', at(2, '10:05'), at(2, '10:12'));
    expect(await tables.rows(incidents)).toEqual([[4]]);
  });
});
