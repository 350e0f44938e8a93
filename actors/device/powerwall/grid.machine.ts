import { defineRegion } from '../../../runtime/machine/region.ts';

export const GRID_EVENTS = [
  'gridConnected',
  'transitionToIsland',
  'islandedReady',
  'islandedActive',
  'transitionToGrid',
  'microGridFaulted',
  'waitForUser',
  'waitForSolar',
  'resynchronizationFailed',
] as const;

/**
 * How the home stands to the grid. The gateway tells the state by its name, so a name leads to its state from
 * everywhere: a jump means that messages were missed, not that the gateway is wrong.
 */
export const gridRegion = defineRegion('grid', GRID_EVENTS, {
  version: '1',
  initial: 'unknown',
  on: {
    gridConnected: '.gridTied',
    transitionToIsland: '.transitionToIsland',
    islandedReady: '.islandedReady',
    islandedActive: '.islanded',
    transitionToGrid: '.transitionToGrid',
    microGridFaulted: '.microGridFaulted',
    waitForUser: '.waitForUser',
  },
  states: {
    unknown: { description: 'Nobody told' },
    gridTied: { description: 'On the grid' },
    transitionToIsland: { description: 'Leaving the grid' },
    islanded: { description: 'The home runs by itself', on: { waitForSolar: 'waitForSolar' } },
    islandedReady: { description: 'By itself, the grid is back', on: { waitForSolar: 'waitForSolar' } },
    transitionToGrid: {
      description: 'Qualifying the grid, then synchronising',
      on: { resynchronizationFailed: 'islanded' },
    },
    waitForUser: { description: 'Down until somebody acts', on: { waitForSolar: 'waitForSolar' } },
    waitForSolar: { description: 'Down until the sun is back' },
    microGridFaulted: { description: 'The island collapsed', on: { waitForSolar: 'waitForSolar' } },
  },
});
