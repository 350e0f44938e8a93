import type { Sketch } from './sketch.ts';

/** Months of a battery, and the one in progress. */
export interface CapacitySide {
  /** Number of the month in progress; see calendar.ts. */
  readonly month: number;
  readonly sketch: Sketch;
  readonly samples: number;
  /** Energy in and out since the first reading, at the newest sample, Wh. */
  readonly movedWh: number;
  /** Medians of the months that ended, oldest first. */
  readonly past: readonly (readonly [month: number, median: number])[];
  /** Highest median of three months in a row of samples; 0 = none ended. */
  readonly best: number;
}
