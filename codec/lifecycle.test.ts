import { describe, expect, it } from 'vitest';
import { decodeLifecycle } from './lifecycle.ts';
import { LIFECYCLE_TYPES } from './lifecycle-data.ts';

const NOW = Date.parse('2022-07-08T09:00:00Z');
const valid = {
  id: 'erp-88-17',
  serial: 'PW-0001',
  kind: 'powerwall',
  type: 'installed',
  eventTime: '2022-01-03T15:00:00-08:00',
  recordTime: '2022-01-05T08:00:00Z',
  source: 'installer-app',
  data: {
    siteId: 'S-42',
    position: 'battery-1',
    timeZone: 'America/Los_Angeles',
    cadenceSeconds: 300,
    note: { any: 1 },
  },
};

function decode(input: unknown) {
  const bytes = Buffer.from(typeof input === 'string' ? input : JSON.stringify(input));
  return decodeLifecycle(bytes, 0, bytes.length, NOW);
}
const reasonOf = (change: object) => {
  const outcome = decode({ ...valid, ...change });
  return outcome.ok ? 'ok' : outcome.reason;
};

describe('a lifecycle record', () => {
  it('is decoded with its times as epoch milliseconds and its data as it came', () => {
    expect(decode(valid)).toEqual({
      ok: true,
      record: {
        ...valid,
        eventTime: Date.parse('2022-01-03T23:00:00Z'),
        recordTime: Date.parse('2022-01-05T08:00:00Z'),
      },
    });
  });

  it('gets the log timestamp for a missing recordTime, and at most 5 minutes more', () => {
    expect(decode({ ...valid, recordTime: undefined })).toMatchObject({ record: { recordTime: NOW } });
    expect(decode({ ...valid, recordTime: '2023-01-01T00:00:00Z' })).toMatchObject({
      record: { recordTime: NOW + 300000 },
    });
  });

  const required: Record<string, object> = {
    installed: valid.data,
    firmwareUpdate: { phase: 'installing' },
    replacedBy: { newSerial: 'PW-2' },
    corrected: { supersedes: 'erp-1' },
    voided: { supersedes: 'erp-1' },
  };
  it.each([...LIFECYCLE_TYPES.keys()])('%s is accepted with what it requires and refused without', (type) => {
    expect(reasonOf({ type, data: required[type] })).toBe('ok');
    expect(reasonOf({ type, data: {} })).toBe(type in required ? 'bad_lifecycle_data' : 'ok');
  });

  it.each<[string, object]>([
    ['missing_serial', { serial: null }],
    ['bad_serial', { serial: 'a\nb' }],
    ['missing_kind', { kind: undefined }],
    ['unknown_kind', { kind: 5 }],
    ['bad_id', { id: undefined }],
    ['bad_id', { id: '' }],
    ['bad_id', { id: 7 }],
    ['missing_type', { type: undefined }],
    ['unknown_lifecycle_type', { type: 'exploded' }],
    ['unknown_lifecycle_type', { type: 'constructor' }],
    ['missing_event_time', { eventTime: null }],
    ['missing_event_time', { eventTime: '0001-01-01T00:00:00Z' }],
    ['bad_event_time', { eventTime: '2022-13-01T00:00:00Z' }],
    ['future_event_time', { eventTime: '2022-07-08T09:05:01Z' }],
    ['bad_record_time', { recordTime: 'x' }],
    ['bad_source', { source: 1 }],
    ['bad_lifecycle_data', { data: [] }],
    ['bad_lifecycle_data', { type: 'maintenanceStarted', data: { planned: 'yes' } }],
    ['ok', { type: 'maintenanceStarted', data: { planned: false } }],
    ['bad_lifecycle_data', { data: { siteId: 'S' } }],
    ['bad_lifecycle_data', { data: { ...valid.data, siteId: 'x'.repeat(129) } }],
    ['bad_lifecycle_data', { data: { ...valid.data, cadenceSeconds: 0 } }],
    ['bad_lifecycle_data', { data: { ...valid.data, cadenceSeconds: 86401 } }],
    ['bad_lifecycle_data', { data: { ...valid.data, timeZone: 'Mars/Olympus' } }],
    ['bad_lifecycle_data', { data: { ...valid.data, timeZone: '+01:00' } }],
  ])('%s', (reason, change) => {
    expect(reasonOf(change)).toBe(reason);
  });

  it('is refused as telemetry is when its bytes are no object', () => {
    expect(decode('')).toEqual({ ok: false, reason: 'empty' });
    expect(decode('{')).toEqual({ ok: false, reason: 'malformed_json' });
    expect(decode(`"${'x'.repeat(65536)}"`)).toEqual({ ok: false, reason: 'too_large' });
  });
});
