import type { DerivedEvent, DerivedType } from '../../../runtime/shard/derived.ts';
import type { SinkBatch } from '../contract.ts';

/** A type with every column type, and with field names that fixed columns have as well. For tests and benchmarks. */
export const sampleType: DerivedType = {
  name: 'sample_fact',
  table: 'sample_facts',
  doc: 'One of everything.',
  key: 'serial, number',
  columns: [
    { name: 'siteId', type: 'text', doc: 'Shares the fixed column.' },
    { name: 'version', type: 'text', doc: 'Clashes with a fixed column of another meaning.' },
    { name: 'label', type: 'text', doc: 'Any text.' },
    { name: 'powerW', type: 'double', doc: 'Any number.', unit: 'W' },
    { name: 'count', type: 'integer', doc: 'A whole number.' },
    { name: 'legal', type: 'boolean', doc: 'Yes or no.' },
    { name: 'openedTime', type: 'time', doc: 'An instant.' },
    { name: 'parts', type: 'json', doc: 'Anything.' },
  ],
};

export const stateIntervalType: DerivedType = {
  name: 'state_interval',
  table: 'state_intervals',
  doc: 'A region of the machine was in one state for a time.',
  key: 'serial, region, from time',
  columns: [
    { name: 'region', type: 'text', doc: 'Region of the machine.' },
    { name: 'state', type: 'text', doc: 'State.' },
    { name: 'fromTime', type: 'time', doc: 'Start.' },
    { name: 'toTime', type: 'time', doc: 'End, null while open.' },
  ],
};

export const slotOccupancyType: DerivedType = {
  name: 'slot_occupancy',
  table: 'slot_occupancies',
  doc: 'An asset held a slot of a site for a time.',
  key: 'siteId, slot, from',
  columns: [
    { name: 'siteId', type: 'text', doc: 'Site.' },
    { name: 'slot', type: 'text', doc: 'Slot.' },
    { name: 'serial', type: 'text', doc: 'Asset.' },
    { name: 'fromTime', type: 'time', doc: 'Start.' },
    { name: 'toTime', type: 'time', doc: 'End, null while open.' },
    { name: 'installEpoch', type: 'integer', doc: 'Number of the installation.' },
    { name: 'replaces', type: 'text', doc: 'Serial of the asset before.' },
  ],
};

export const sampleTypes: readonly DerivedType[] = [sampleType, stateIntervalType, slotOccupancyType];

const startMs = Date.UTC(2022, 6, 8, 9);

/** The event at `offset` of a partition's derived topic: every third is a state interval, the others sample facts. */
export function sampleEvent(partition: number, offset: number): DerivedEvent {
  const time = new Date(startMs + offset * 1000 + partition).toISOString();
  const serial = `PW-${partition}-${offset % 7}`;
  const interval = offset % 3 === 2;
  const data = interval
    ? { region: 'operation', state: 'charging', fromTime: time, toTime: null }
    : {
        siteId: null,
        version: `v${offset}`,
        label: `größe "${offset}", O'Neill`,
        powerW: offset / 8,
        count: offset,
        legal: offset % 2 === 0,
        openedTime: time,
        parts: ['a', { n: offset }],
      };
  return {
    id: `dead-letters-${partition}-${offset}-0`,
    type: interval ? stateIntervalType.name : sampleType.name,
    serial,
    kind: 'powerwall',
    siteId: partition % 2 === 0 ? `S-${partition}` : null,
    eventTime: time,
    recordTime: time,
    key: interval ? `${serial}/operation/${time}` : `${serial}/${offset}`,
    version: offset,
    op: 'upsert',
    machine: 'powerwall@1',
    data,
  };
}

/** Offsets `[from, next)` of a partition. */
export function sampleBatch(partition: number, from: number, next: number): SinkBatch {
  const events = Array.from({ length: next - from }, (_, i) => sampleEvent(partition, from + i));
  return { partition, from, next, events };
}
