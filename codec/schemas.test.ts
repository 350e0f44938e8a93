import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KINDS, referenceRecord } from './fixture.ts';
import { LIFECYCLE_TYPES } from './lifecycle-data.ts';
import { lifecycleSchema, telemetrySchema } from './schemas.ts';

const app = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allowUnionTypes: true } } });

beforeAll(async () => {
  app.post('/telemetry', { schema: { body: telemetrySchema(KINDS) } }, () => 'ok');
  app.post('/lifecycle', { schema: { body: lifecycleSchema(KINDS) } }, () => 'ok');
  await app.ready();
});
afterAll(() => app.close());

const statusOf = async (url: string, payload: object) =>
  (await app.inject({ method: 'POST', url, payload })).statusCode;

describe('the schemas', () => {
  const reading = JSON.parse(referenceRecord(1, 1));
  const stall = {
    ...reading,
    kind: 'supercharger',
    fields: { status: 'Charging', seqNo: 1, other: [1], vehicleW: '7.4', meterValues: [{ value: '12' }] },
  };
  const full = {
    ...reading,
    deviceTime: 1657270800000,
    fields: {
      alerts: ['a', { name: 'b', startedAt: 5 }],
      soc: null,
      firmware: 'x',
      stormMode: true,
      disabledReasons: ['x'],
    },
  };

  it.each([reading, stall, full])('accept telemetry %#', async (record) => {
    expect(await statusOf('/telemetry', record)).toBe(200);
  });

  it.each([
    { serial: '' },
    { kind: 'toaster' },
    { deviceTime: 'x' },
    { fields: [] },
    { fields: { soc: 2 } },
    { fields: { gridStatus: 'x' } },
    { fields: { alerts: [{}] } },
    { fields: { soc: '0.5' } },
    { kind: 'supercharger', fields: { meterValues: [{}] } },
  ])('refuse telemetry with %j', async (change) => {
    expect(await statusOf('/telemetry', { ...reading, ...change })).toBe(400);
  });

  const record = { id: '1', serial: 'PW-1', kind: 'powerwall', eventTime: '2022-01-01T00:00:00Z' };
  it('accept each lifecycle type with what it requires', async () => {
    for (const [type, { data }] of LIFECYCLE_TYPES) {
      const required = Object.entries(data).filter(([, part]) => part.required);
      const good = { ...record, type, data: Object.fromEntries(required.map(([name]) => [name, 'x'])) };
      expect(await statusOf('/lifecycle', good), type).toBe(200);
      if (required.length > 0) expect(await statusOf('/lifecycle', { ...record, type }), type).toBe(400);
    }
  });

  it('refuse an unknown lifecycle type', async () => {
    expect(await statusOf('/lifecycle', { ...record, type: 'exploded' })).toBe(400);
  });
});
