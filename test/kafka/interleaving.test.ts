import { expect, it } from 'vitest';
import { type Step, StepKind } from '../../runtime/shard/journal.ts';
import { foldedAlike } from './interleaving.ts';

const { telemetry, lifecycle, publish, passedTelemetry } = StepKind;
const steps = (...of: readonly (readonly [kind: number, count: number])[]): Step[] =>
  of.map(([kind, count], i) => ({ kind, count, clock: i }));

it.each([
  ['nothing', [], [], { telemetry: 0, lifecycle: 0, timers: 0 }],
  [
    'the same in other turns',
    steps([lifecycle, 2], [lifecycle, 1], [telemetry, 5]),
    steps([lifecycle, 3], [telemetry, 2], [passedTelemetry, 1], [telemetry, 3]),
    { telemetry: 5, lifecycle: 3, timers: 0 },
  ],
  [
    'the same until facts were published in between',
    steps([telemetry, 5], [publish, 2]),
    steps([telemetry, 3], [publish, 2], [telemetry, 2]),
    { telemetry: 3, lifecycle: 0, timers: 0 },
  ],
  [
    'another topic first',
    steps([telemetry, 5]),
    steps([lifecycle, 1], [telemetry, 5]),
    { telemetry: 0, lifecycle: 0, timers: 0 },
  ],
])('%s', (_, a, b, expected) => {
  expect(foldedAlike(a, b)).toEqual(expected);
});
