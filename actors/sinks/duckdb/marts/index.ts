import type { TablePlan } from '../schema.ts';
import { availabilityMarts } from './availability.ts';
import { energyMarts } from './energy.ts';
import { featureMarts } from './features.ts';
import { lifecycleMarts } from './lifecycle.ts';
import { createMart, has, type Mart } from './mart.ts';
import { createParts } from './parts.ts';
import { reliability } from './reliability.ts';
import { siteEnergyDaily } from './sites.ts';

/** Every mart, in the order of the dictionary. */
export const marts: readonly Mart[] = [
  ...energyMarts,
  siteEnergyDaily,
  ...lifecycleMarts,
  ...availabilityMarts,
  reliability,
  ...featureMarts,
];

/** Those for which the tables are there. */
export function martsOf(plans: readonly TablePlan[]): Mart[] {
  return marts.filter((mart) => has(plans, mart.needs));
}

/** Statements that make them, and the internal views under them. */
export function createMarts(plans: readonly TablePlan[]): string[] {
  return [...createParts(plans), ...martsOf(plans).map(createMart)];
}
