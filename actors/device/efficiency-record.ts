/** A battery as it stood at a day's first reading; a window of efficiency begins and ends with one. */
export interface EfficiencySide {
  readonly from: number;
  readonly inWh: number;
  readonly outWh: number;
  readonly remainingWh: number | null;
  readonly soc: number | null;
  /** Sum of all changes of the state of charge, up and down. */
  readonly socMoved: number;
  /** Time in the window, up to the newest day's end, of which nothing is known. */
  readonly unknownMs: number;
}
