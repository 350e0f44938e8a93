/** How many of each a demo fleet of `total` assets has. */
export interface FleetMix {
  /** Powerwalls and inverters together. */
  readonly assets: number;
  /** Cabinets of four stalls. */
  readonly cabinets: number;
  readonly megapacks: number;
}

const SMALLEST_MIXED = 40;
const STALLS_PER_CABINET = 4;

/** Mostly homes; from 40 assets on also a charging place and a plant: about 8 % stalls and 2 % Megapacks. */
export function demoMix(total: number): FleetMix {
  if (total < SMALLEST_MIXED) return { assets: total, cabinets: 0, megapacks: 0 };
  const cabinets = Math.max(1, Math.floor(total / 50));
  const megapacks = Math.max(4, 4 * Math.floor(total / 200));
  return { assets: total - STALLS_PER_CABINET * cabinets - megapacks, cabinets, megapacks };
}
