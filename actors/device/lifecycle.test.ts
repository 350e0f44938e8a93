import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LifecycleRecord } from '../../runtime/shard/contract.ts';
import { FactMap } from '../../runtime/shard/facts.ts';
import { foldLifecycle, lifecycleStates } from './lifecycle.ts';
import { Fed, lifecycleRecord } from './testing/harness.ts';

const SITE = { siteId: 'S-42', position: 'battery-1' };
const day = (n: number) => `2022-01-${String(n).padStart(2, '0')}T12:00:00Z`;
const ms = (n: number) => Date.parse(day(n));

/** One record a day, from the first of January; data of `installed` is filled in. */
function life(...types: (string | readonly [string, Record<string, unknown>])[]): LifecycleRecord[] {
  return types.map((entry, i) => {
    const [type, data] = typeof entry === 'string' ? [entry, {}] : entry;
    const filled = type === 'installed' ? { ...SITE, ...data } : data;
    return lifecycleRecord(type, day(i + 1), filled, { id: `r${i + 1}` });
  });
}

function fold(records: readonly LifecycleRecord[]) {
  const facts = new FactMap(false);
  const result = foldLifecycle('PW-1', records, facts);
  const all = [...facts.byKey.values()];
  const data = (type: string) => all.filter((f) => f.type.name === type).map((f) => f.data);
  return { result, state: lifecycleStates[result.state], data, keys: all.map((f) => f.key), facts };
}

const BORN = ['manufactured', 'shipped', 'delivered'];
const SERVING = [...BORN, 'installed', 'commissioningStarted', 'commissioned'];
const PATHS: Record<string, string[]> = {
  manufactured: ['manufactured'],
  inTransit: ['manufactured', 'shipped'],
  inStock: BORN,
  installed: [...BORN, 'installed'],
  commissioning: [...BORN, 'installed', 'commissioningStarted'],
  inService: SERVING,
  maintenance: [...SERVING, 'maintenanceStarted'],
  outOfService: [...SERVING, 'suspended'],
  decommissioned: [...SERVING, 'decommissioned'],
  returned: [...SERVING, 'decommissioned', 'returned'],
  recycled: [...SERVING, 'decommissioned', 'recycled'],
};

describe('lifecycle', () => {
  it.each([
    ['manufactured', 'shipped', 'inTransit'],
    ['inStock', 'shipped', 'inTransit'],
    ['inTransit', 'delivered', 'inStock'],
    ['inStock', 'installed', 'installed'],
    ['inTransit', 'installed', 'installed'],
    ['installed', 'commissioningStarted', 'commissioning'],
    ['commissioning', 'commissioned', 'inService'],
    ['commissioning', 'commissioningFailed', 'installed'],
    ['inService', 'maintenanceStarted', 'maintenance'],
    ['maintenance', 'maintenanceCompleted', 'inService'],
    ['inService', 'suspended', 'outOfService'],
    ['maintenance', 'suspended', 'outOfService'],
    ['outOfService', 'resumed', 'inService'],
    ['inService', 'decommissioned', 'decommissioned'],
    ['maintenance', 'decommissioned', 'decommissioned'],
    ['outOfService', 'decommissioned', 'decommissioned'],
    ['installed', 'decommissioned', 'decommissioned'],
    ['decommissioned', 'returned', 'returned'],
    ['decommissioned', 'recycled', 'recycled'],
    ['returned', 'refurbished', 'inStock'],
    ['inService', 'replacedBy', 'decommissioned'],
    ['installed', 'replacedBy', 'decommissioned'],
    ['decommissioned', 'replacedBy', 'decommissioned'],
  ])('%s, %s: %s', (from, event, to) => {
    const before = fold(life(...PATHS[from]));
    expect(before.state).toBe(from);
    const { state, result } = fold(life(...PATHS[from], event));
    expect(state).toBe(to);
    expect(result.steps.every((s) => s.legal)).toBe(true);
  });

  it.each([
    ['manufactured', 'installed'],
    ['inService', 'manufactured'],
    ['inService', 'installed'],
    ['installed', 'commissioned'],
    ['inStock', 'decommissioned'],
    ['decommissioned', 'resumed'],
    ['decommissioned', 'installed'],
    ['decommissioned', 'shipped'],
    ['recycled', 'refurbished'],
    ['inService', 'maintenanceCompleted'],
  ])('%s does not foresee %s: it changes nothing and waits for review', (from, event) => {
    const { state, result, data } = fold(life(...PATHS[from], event));
    expect(state).toBe(from);
    expect(result.steps.at(-1)).toMatchObject({ legal: false, from, to: from });
    expect(data('lifecycle_change').at(-1)).toMatchObject({ type: event, legal: false });
  });

  it('lets a unit that moves go on to another slot, as it is or by truck', () => {
    const moved = ['decommissioned', { reason: 'moved' }] as const;
    const elsewhere = ['installed', { siteId: 'S-43' }] as const;
    for (const way of [
      [moved, elsewhere],
      [moved, 'shipped', 'delivered', elsewhere],
    ]) {
      const { state, result } = fold(life(...SERVING, ...way));
      expect([state, result.siteId]).toEqual(['installed', 'S-43']);
      expect(result.steps.every((s) => s.legal)).toBe(true);
    }
    expect(fold(life(...SERVING, moved, 'shipped', 'installed', 'decommissioned', elsewhere)).state).toBe(
      'decommissioned',
    );
  });

  it('says why a record waits for review', () => {
    const why = (records: readonly LifecycleRecord[]) =>
      fold(records)
        .data('lifecycle_change')
        .map((d) => d.review);
    expect(why(life('commissioned', 'shipped', ['firmwareUpdate', { phase: 'polishing' }]))).toEqual([
      'first_word',
      'not_foreseen',
      'unknown_phase',
    ]);
    const lost = ['corrected', { supersedes: 'lost', type: 'decommissioned' }] as const;
    const ofLost = ['corrected', { supersedes: 'r7', type: 'decommissioned' }] as const;
    expect(why(life(...SERVING, lost)).slice(6)).toEqual(['unknown_record']);
    const { state, result } = fold(life(...SERVING, lost, ofLost));
    expect([state, ...result.steps.slice(6).map((s) => s.review)]).toEqual(['inService', null, 'unknown_record']);
    const circle = [
      ['corrected', { supersedes: 'r8' }],
      ['corrected', { supersedes: 'r7' }],
    ] as const;
    expect(why(life(...SERVING, ...circle)).slice(6)).toEqual(['circle', 'circle']);
  });

  it('takes the first word on an asset that it never heard of, for review', () => {
    const { state, result } = fold(life('installed', 'commissioningStarted', 'commissioned'));
    expect(state).toBe('inService');
    expect(result.steps.map((s) => s.legal)).toEqual([false, true, true]);
    expect(result).toMatchObject({ siteId: 'S-42', slot: 'battery-1' });
  });

  it('states each record, each transition, each interval and who held the slot', () => {
    const { data, keys } = fold(life(...SERVING));
    expect(data('lifecycle_change')).toHaveLength(6);
    expect(data('state_transition').map((d) => d.to)).toEqual([
      'manufactured',
      'inTransit',
      'inStock',
      'installed',
      'commissioning',
      'inService',
    ]);
    expect(data('state_interval').at(-1)).toEqual({
      region: 'lifecycle',
      state: 'inService',
      fromTime: ms(6),
      toTime: null,
    });
    expect(data('slot_occupancy')).toEqual([
      {
        ...{ siteId: 'S-42', slot: 'battery-1', serial: 'PW-1' },
        fromTime: ms(4),
        toTime: null,
        installEpoch: 1,
        replaces: null,
        ...{
          cabinet: null,
          cabinetLimitW: null,
          region: null,
          model: null,
          ratedW: null,
          capacityWh: null,
          cadenceS: null,
          timeZone: null,
        },
      },
    ]);
    expect(keys).toContain('PW-1/r4');
    expect(keys).toContain(`S-42/battery-1/${new Date(ms(4)).toISOString()}`);
    expect(keys).toContain(`PW-1/lifecycle/${new Date(ms(4)).toISOString()}/0`);
  });

  it('numbers installations, and the slot is free once the asset has left', () => {
    const moved = life(...SERVING, 'decommissioned', 'returned', 'refurbished', [
      'installed',
      { position: 'battery-2' },
    ]);
    const { data, result } = fold(moved);
    expect(data('slot_occupancy')).toMatchObject([
      { slot: 'battery-1', fromTime: ms(4), toTime: ms(7), installEpoch: 1 },
      { slot: 'battery-2', fromTime: ms(10), toTime: null, installEpoch: 2 },
    ]);
    expect(result.slot).toBe('battery-2');
    expect(fold(life(...SERVING, 'replacedBy')).result).toMatchObject({ siteId: null, slot: null });
  });

  it('takes cadence and zone from the installation, where they make sense', () => {
    const given = fold(life(...BORN, ['installed', { cadenceSeconds: 10, timeZone: 'Europe/Rome' }])).result;
    expect(given).toMatchObject({ cadenceS: 10, timeZone: 'Europe/Rome' });
    const wrong = fold(life(...BORN, ['installed', { cadenceSeconds: -1, timeZone: 'Mars/Olympus' }])).result;
    expect(wrong).toMatchObject({ cadenceS: null, timeZone: null });
  });

  it('is the same in whatever order the records come', () => {
    const records = life(...SERVING, 'maintenanceStarted', 'maintenanceCompleted', 'decommissioned', 'returned');
    fc.assert(
      fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (shuffled) => {
        const plain = (r: ReturnType<typeof fold>) => [...r.facts.byKey].sort(([a], [b]) => (a < b ? -1 : 1));
        expect(plain(fold(shuffled))).toEqual(plain(fold(records)));
      }),
    );
  });

  it('orders what happened at one time by when it was told, then by id', () => {
    const at = { eventTime: ms(1) };
    const records = [
      lifecycleRecord('shipped', day(1), {}, { ...at, id: 'b', recordTime: ms(3) }),
      lifecycleRecord('manufactured', day(1), {}, { ...at, id: 'z', recordTime: ms(2) }),
      lifecycleRecord('delivered', day(1), {}, { ...at, id: 'c', recordTime: ms(3) }),
    ];
    const { state, data } = fold(records);
    expect(state).toBe('inStock');
    expect(data('state_transition')).toHaveLength(3);
    expect(data('state_interval')).toEqual([{ region: 'lifecycle', state: 'inStock', fromTime: ms(1), toTime: null }]);
  });
});

describe('corrections', () => {
  const fix = (type: 'corrected' | 'voided', supersedes: string, data = {}, more: Partial<LifecycleRecord> = {}) =>
    lifecycleRecord(type, day(4), { supersedes, ...data }, { id: `fix-${supersedes}`, recordTime: ms(20), ...more });

  it('replace what was wrong, and keep what they do not name', () => {
    const { result, data } = fold([...life(...SERVING), fix('corrected', 'r4', { position: 'battery-9' })]);
    expect(result).toMatchObject({ siteId: 'S-42', slot: 'battery-9' });
    expect(lifecycleStates[result.state]).toBe('inService');
    expect(data('slot_occupancy')).toMatchObject([{ slot: 'battery-9', installEpoch: 1 }]);
    expect(data('lifecycle_change').find((d) => d.recordId === 'r4')).toMatchObject({ voided: true });
  });

  it('move a record in time, and change its type', () => {
    const moved = fix('corrected', 'r6', { type: 'commissioningFailed' }, { eventTime: ms(9) });
    const { state, data } = fold([...life(...SERVING), moved]);
    expect(state).toBe('installed');
    expect(data('state_transition').at(-1)).toMatchObject({ cause: 'commissioningFailed' });
  });

  it('take a record back', () => {
    expect(fold([...life(...SERVING, 'decommissioned'), fix('voided', 'r7')]).state).toBe('inService');
  });

  it('can be taken back themselves', () => {
    const wrong = fix('corrected', 'r4', { position: 'battery-9' });
    const back = fix('voided', wrong.id, {}, { recordTime: ms(21) });
    expect(fold([...life(...SERVING), wrong, back]).result.slot).toBe('battery-1');
  });

  it('of corrections count, and of two the one told last', () => {
    const first = fix('corrected', 'r4', { position: 'battery-8' }, { id: 'f1' });
    const chained = fix('corrected', 'f1', { siteId: 'S-43' }, { id: 'f2' });
    expect(fold([...life(...SERVING), first, chained]).result).toMatchObject({ siteId: 'S-43', slot: 'battery-8' });
    const rival = fix('corrected', 'r4', { position: 'battery-7' }, { id: 'f3', recordTime: ms(22) });
    expect(fold([...life(...SERVING), rival, first]).result.slot).toBe('battery-7');
  });

  it('of what is not there wait for review', () => {
    const { result } = fold([...life(...SERVING), fix('voided', 'nothing')]);
    expect(result.steps.find((s) => s.record.type === 'voided')).toMatchObject({ legal: false });
  });

  it('that go in a circle end', () => {
    const circle = [fix('corrected', 'b', {}, { id: 'a' }), fix('corrected', 'a', {}, { id: 'b' })];
    expect(() => fold([...life(...SERVING), ...circle])).not.toThrow();
  });
});

describe('firmware by record', () => {
  const phase = (phase: string, version?: string) => ['firmwareUpdate', { phase, version }] as const;

  it('goes through its phases and states the update', () => {
    const { data, state } = fold(
      life(...SERVING, phase('downloading', '2.0'), phase('installing'), phase('completed')),
    );
    expect(state).toBe('inService');
    expect(
      data('state_interval')
        .filter((d) => d.region === 'firmware')
        .map((d) => d.state),
    ).toEqual(['downloading', 'installing', 'idle']);
    expect(data('firmware_update')).toMatchObject([
      { toVersion: '2.0', startedTime: ms(7), completedTime: ms(9), ok: true, source: 'lifecycle' },
    ]);
  });

  it('knows a failure and a rollback', () => {
    const { data } = fold(
      life(phase('installed', '22.36.6'), phase('InstallationFailed', '22.40.1'), phase('succeeded', '22.26.4')),
    );
    expect(data('firmware_update')).toMatchObject([
      { toVersion: '22.36.6', ok: true, rollback: false },
      { toVersion: '22.40.1', ok: false },
      { fromVersion: '22.36.6', toVersion: '22.26.4', ok: true, rollback: true },
    ]);
  });
});

describe('status', () => {
  const shown = (fed: Fed, ...types: Parameters<typeof life>) =>
    fed.kind.view(fed.cursor, types.length === 0 ? null : fold(life(...types)).result, fed.config).status;
  const islandedAndFaulted = () =>
    new Fed('powerwall').feed(ms(20), {
      gridStatus: 'SystemIslandedActive',
      powerW: 900,
      alerts: [{ name: 'A_f001_X' }],
    });

  it('counts an asset without records as in service', () => {
    expect(shown(new Fed('powerwall').feed(ms(20), { powerW: 0 }))).toBe('STANDBY');
  });

  it('is the first that holds', () => {
    const fed = islandedAndFaulted();
    const updating = ['firmwareUpdate', { phase: 'installing' }] as const;
    expect(shown(fed, ...SERVING, 'decommissioned')).toBe('DECOMMISSIONED');
    expect(shown(fed, ...BORN, 'installed')).toBe('INSTALLED');
    expect(shown(fed, ...SERVING, 'suspended')).toBe('OUT_OF_SERVICE');
    fed.cursor.silence = 2;
    expect(shown(fed, ...SERVING)).toBe('OFFLINE');
    fed.cursor.silence = 1;
    expect(shown(fed, ...SERVING)).toBe('FAULTED');
    fed.feed(ms(20) + 60_000, { alerts: [] });
    expect(shown(fed, ...SERVING, 'maintenanceStarted', updating)).toBe('UPDATING');
    expect(shown(fed, ...SERVING, 'maintenanceStarted')).toBe('MAINTENANCE');
    expect(shown(fed, ...SERVING)).toBe('ISLANDED');
    fed.feed(ms(20) + 120_000, { gridStatus: 'SystemGridConnected' });
    expect(shown(fed, ...SERVING)).toBe('STANDBY');
  });

  it('no longer updates when the device tells the wanted version', () => {
    const fed = new Fed('powerwall').feed(ms(20), { powerW: 0, firmware: '2.0' });
    expect(shown(fed, ...SERVING, ['firmwareUpdate', { phase: 'rebooting', version: '2.0' }])).toBe('STANDBY');
    expect(shown(fed, ...SERVING, ['firmwareUpdate', { phase: 'rebooting', version: '2.1' }])).toBe('UPDATING');
  });
});
