import { expect, it } from 'vitest';
import { decodeJournal, encodeJournal, JournalBuilder, StepKind } from './journal.ts';

it('runs of one kind at one clock reading grow together, but those with unknown schemas stay apart', () => {
  const builder = new JournalBuilder();
  builder.add(StepKind.telemetry, 3, 10);
  builder.add(StepKind.telemetry, 2, 10);
  builder.add(StepKind.telemetry, 4, 10, [7, 9]);
  builder.add(StepKind.telemetry, 1, 10);
  builder.add(StepKind.timers, 1, 10);
  builder.add(StepKind.timers, 1, 10);
  expect(builder.take()).toEqual([
    { kind: StepKind.telemetry, count: 5, clock: 10 },
    { kind: StepKind.telemetry, count: 4, clock: 10, unknownSchemas: [7, 9] },
    { kind: StepKind.telemetry, count: 1, clock: 10 },
    { kind: StepKind.timers, count: 1, clock: 10 },
    { kind: StepKind.timers, count: 1, clock: 10 },
  ]);
  expect(builder.empty).toBe(true);
});

it('a journal record comes back as it was, with unknown schemas and without', () => {
  const step = { kind: StepKind.lifecycle, count: 4, clock: 1_700_000_000_000 };
  for (const steps of [[], [step], [step, { ...step, unknownSchemas: [3, 2 ** 31 - 1] }, step]]) {
    const record = { generation: 2 ** 40, commit: 12, steps };
    expect(decodeJournal(encodeJournal(record))).toEqual(record);
  }
});

it('a journal of the first release is read', () => {
  const bytes = Buffer.from('94010207930003cb4278bcfe56800000', 'hex');
  const steps = [{ kind: StepKind.telemetry, count: 3, clock: 1_700_000_000_000 }];
  expect(decodeJournal(bytes)).toEqual({ generation: 2, commit: 7, steps });
});
