import { type ActorType, type Kind, topics } from '../../runtime/shard/contract.ts';
import { dataGap } from '../device/facts.ts';
import { ContributionDecoder } from './contribution.ts';
import { siteTypes } from './facts.ts';
import { cabinet } from './cabinet.ts';
import { region } from './region.ts';
import { site } from './site.ts';

/** Kinds of places, in the order that numbers them in readings. */
export const placeKinds: readonly Kind[] = [site, cabinet, region];

const names = placeKinds.map(({ name }) => name);

/** The actor type of everything that is where it is and sums over the assets that stand there. */
export const siteType: ActorType = {
  name: 'site',
  kinds: placeKinds,
  derived: [...siteTypes, dataGap],
  topics: {
    readings: topics.contributions,
    lifecycle: 'site-lifecycle',
    timers: 'site-timers',
    journal: `site-${topics.journal}`,
    snapshots: `site-${topics.snapshots}`,
  },
  order: 'arrival',
  createDecoder: () => new ContributionDecoder(names),
  decodeLifecycle: () => ({ ok: false, reason: 'unknown_kind' }),
};
