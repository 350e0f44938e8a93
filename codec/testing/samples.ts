import type { FieldSpec } from '../../runtime/shard/reading.ts';
import type { TelemetryDocument } from '../encode-parts.ts';
import type { LifecycleDocument } from '../lifecycle-parts.ts';
import type { DecodedKind } from '../plan.ts';

/** One record of every kind with a value in every field, for golden bytes and for comparing with other encoders. */

function sampleOf(spec: FieldSpec, i: number): unknown {
  switch (spec.type) {
    case 'number': {
      const { min = -1000, max = 1000 } = spec;
      return Math.min(max, min + (max - min) / (i + 3));
    }
    case 'enum':
      return (spec.words ?? []).at(-1);
    case 'bool':
      return i % 2 === 0;
    case 'text':
      return `${spec.name} ä ${i}`;
    case 'list':
      return ['first', 'zweite €', ''];
    case 'alerts':
      return [
        { name: 'BatteryFault', severity: 'critical', startedAt: 1657270000000, endedAt: 1657270100000 },
        { name: 'WaitForSolar', severity: null, startedAt: null, endedAt: null },
      ];
    case 'meterValues':
      return [
        { value: '7.4', measurand: 'Power.Offered', unit: 'kW', context: 'Sample.Periodic' },
        { value: '3000', measurand: 'RPM', location: 'EV', phase: 'L1' },
      ];
  }
}

export function sampleRecord(kind: DecodedKind): TelemetryDocument {
  const fields = Object.fromEntries(kind.fields.map((spec, i) => [spec.name, sampleOf(spec, i)]));
  return {
    serial: `${kind.name.toUpperCase()}-0001`,
    kind: kind.name,
    deviceTime: 1657270799123,
    receiveTime: 1657270800456,
    txid: 'a1f3',
    resend: true,
    seqNo: 300,
    fields: { ...fields, [kind.fields[3].name]: null, custom: { any: [1, 'x'] }, note: 'kept' },
  };
}

export const SAMPLE_LIFECYCLE: LifecycleDocument = {
  id: 'erp-88-17',
  serial: 'PW-0001',
  kind: 'powerwall',
  type: 'installed',
  eventTime: 1641250800000,
  recordTime: 1641369600000,
  source: 'installer-app',
  data: {
    siteId: 'S-42',
    position: 'battery-1 ä',
    cadenceSeconds: 300,
    capacityWh: 13500.5,
    timeZone: 'America/Los_Angeles',
    note: { any: [1] },
  },
};
