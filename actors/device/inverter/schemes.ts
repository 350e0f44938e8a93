import { operationRegion, type INVERTER_EVENTS } from './operation.machine.ts';
import { STATE_SCHEMES } from './fields.ts';

type InverterEvent = (typeof INVERTER_EVENTS)[number];

const { table } = operationRegion;

/** SunSpec model 103, `St`. */
const SUNSPEC_103: Readonly<Record<number, InverterEvent>> = {
  1: 'off',
  2: 'sleep',
  3: 'start',
  4: 'run',
  5: 'throttle',
  6: 'shutDown',
  7: 'fault',
  8: 'standby',
};

/** SunSpec model 701, `InvSt`: the same words, other numbers. */
const SUNSPEC_701: Readonly<Record<number, InverterEvent>> = {
  0: 'off',
  1: 'sleep',
  2: 'start',
  3: 'run',
  4: 'throttle',
  5: 'shutDown',
  6: 'fault',
  7: 'standby',
};

/** Danfoss operating mode: ranges. From 80 it is off, but communicates. */
const DANFOSS: readonly (readonly [below: number, event: InverterEvent])[] = [
  [10, 'off'],
  [60, 'start'],
  [70, 'run'],
  [80, 'fault'],
  [90, 'off'],
];

/** No state of the scheme. */
export const NO_EVENT = -1;

/** Event of a state number, by index of its scheme. A number that the scheme does not know says nothing. */
export function eventOfState(scheme: number, code: number): number {
  const name = STATE_SCHEMES[scheme];
  let event: InverterEvent | undefined;
  if (name === 'sunspec-103') event = SUNSPEC_103[code];
  else if (name === 'sunspec-701') event = SUNSPEC_701[code];
  else if (name === 'danfoss' && code >= 0) event = DANFOSS.find(([below]) => code < below)?.[1];
  return event === undefined ? NO_EVENT : table.eventIndex(event);
}
