/** Where a kind's power and counters stand in its readings and columns. */
export interface EnergyPlan {
  readonly power: number;
  readonly powerBit: number;
  readonly out: number;
  readonly outBit: number;
  readonly in: number;
  readonly inBit: number;
  /** Field that the ingoing counter is told in. */
  readonly inName: string;
  /** Counter that restarts daily, -1 where the kind has none. */
  readonly day: number;
  readonly dayBit: number;
  readonly dayColumn: number;
  readonly dayAtColumn: number;
  readonly dayOwnerColumn: number;
  /** More than any asset of the kind can deliver: counters that say so are wrong. */
  readonly maxPowerW: number;
}

/**
 * Energy of one turn, from the reading before to this one. Kept outside of the asset and used again for every reading:
 * a turn allocates nothing.
 */
export const turn = {
  /** Spread evenly over the time since the reading before, Wh. */
  flowOut: 0,
  flowIn: 0,
  /** Belongs into the interval that ends last, Wh. */
  lumpOut: 0,
  lumpIn: 0,
  /** Power that holds until `heldTo`, W. */
  heldOutW: 0,
  heldInW: 0,
  heldTo: 0,
  coveredTo: 0,
  /** Fields whose report must not be applied: the counter said something impossible. */
  refused: 0,
  /** Until when every counter in use has spoken. */
  settledTo: 0,
};
