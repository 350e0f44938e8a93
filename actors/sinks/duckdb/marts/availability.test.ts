import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Tables } from '../testing/tables.ts';

const HOUR = 3600;
const at = (day: number, hour = 0) => new Date(Date.UTC(2022, 4, day, hour)).toISOString();

describe('availability of the time in service', () => {
  let tables: Tables;
  beforeEach(async () => {
    tables = await Tables.open();
  });
  afterEach(() => tables.remove());

  /** A measured day, its parts in hours. */
  const measured = (serial: string, day: number, available: number, down: number, unknown: number, night: number) => {
    const [fromTime, toTime] = [at(day), at(day + 1)];
    tables.energy(serial, at(day), 0, 1).energy(serial, at(day, 24) /* the next day begins */, 0, 1);
    return tables.say('availability_interval', serial, fromTime.slice(0, 10), fromTime, {
      day: fromTime.slice(0, 10),
      fromTime,
      toTime,
      availableS: available * HOUR,
      downS: down * HOUR,
      unknownS: unknown * HOUR,
      nightS: night * HOUR,
    });
  };
  const hours = async (view: string, keys: string) => {
    const names = [
      'in_service',
      'available',
      'down',
      'unknown',
      'night',
      'maintenance_planned',
      'maintenance_unplanned',
      'not_in_service',
    ];
    return tables.rows(
      `SELECT ${keys}, [${names.map((n) => `${n}_s / 3600`).join(', ')}], round(availability, 6) FROM ${view} ORDER BY ${keys}`,
    );
  };

  it('counts neither the unknown nor the night as down', async () => {
    measured('A', 2, 10, 2, 4, 8);
    expect(await hours('availability', 'serial, day')).toEqual([
      ['A', '2022-05-02', [24, 10, 2, 4, 8, 0, 0, 0], 0.833333],
    ]);
    measured('B', 3, 0, 0, 24, 0);
    expect((await hours('availability', 'serial, day'))[1]).toEqual([
      'B',
      '2022-05-03',
      [24, 0, 0, 24, 0, 0, 0, 0],
      null,
    ]);
  });

  it('counts the time in service only, and says where it had to spread a day', async () => {
    measured('A', 2, 24, 0, 0, 0);
    measured('A', 3, 20, 4, 0, 0);
    measured('A', 4, 20, 4, 0, 0);
    tables.state('A', 'lifecycle', 'installed', at(1), at(3, 12)).state('A', 'lifecycle', 'inService', at(3, 12), null);
    expect(await tables.rows('SELECT day, prorated FROM availability ORDER BY day')).toEqual([
      ['2022-05-02', false],
      ['2022-05-03', true],
      ['2022-05-04', false],
    ]);
    expect(await hours('availability', 'day')).toEqual([
      ['2022-05-02', [0, 0, 0, 0, 0, 0, 0, 24], null],
      ['2022-05-03', [12, 10, 2, 0, 0, 0, 0, 12], 0.833333],
      ['2022-05-04', [24, 20, 4, 0, 0, 0, 0, 0], 0.833333],
    ]);
  });

  it('takes maintenance as planned where the record says so or no fault was open', async () => {
    for (const serial of ['clean', 'failed', 'told']) {
      measured(serial, 2, 24, 0, 0, 0);
      tables
        .state(serial, 'lifecycle', 'inService', at(1), at(2, 6))
        .state(serial, 'lifecycle', 'maintenance', at(2, 6), at(2, 12))
        .state(serial, 'lifecycle', 'inService', at(2, 12), null);
    }
    for (const serial of ['failed', 'told']) tables.fault(serial, 'F', at(2, 1), at(2, 8));
    tables.fault('clean', 'F', at(1), at(2, 6));
    tables.say('lifecycle_change', 'told', 'm1', at(2, 6), {
      recordId: 'm1',
      type: 'maintenanceStarted',
      legal: true,
      voided: false,
      occurredTime: at(2, 6),
      data: { ticket: 'T-1', planned: true },
    });
    expect(await hours('availability', 'serial')).toEqual([
      ['clean', [18, 18, 0, 0, 0, 6, 0, 0], 1],
      ['failed', [18, 18, 0, 0, 0, 0, 6, 0], 0.75],
      ['told', [18, 18, 0, 0, 0, 6, 0, 0], 1],
    ]);
  });

  it('is of the slot and of the site, whichever asset held it, and follows a late record', async () => {
    measured('A', 2, 12, 12, 0, 0);
    measured('B', 3, 24, 0, 0, 0);
    measured('C', 2, 24, 0, 0, 0);
    tables
      .holds('A', 'S-1', 'left', at(1), at(3))
      .holds('B', 'S-1', 'left', at(3), null)
      .holds('C', 'S-1', 'right', at(1), null);
    expect((await hours('slot_availability', 'slot, day')).map((row) => [row[0], row[1], row[3]])).toEqual([
      ['left', '2022-05-02', 0.5],
      ['left', '2022-05-03', 1],
      ['right', '2022-05-02', 1],
    ]);
    expect((await hours('site_availability', 'site_id, day')).map((row) => row[3])).toEqual([0.75, 1]);
    tables.holds('A', 'S-1', 'left', at(1), at(3), {}, { op: 'retract' });
    expect((await hours('site_availability', 'site_id, day')).map((row) => row[3])).toEqual([1, 1]);
  });
});
