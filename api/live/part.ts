import type { AssetFilter } from '../query/filter.ts';
import type { Projection } from './document.ts';
import type { ServerFrame } from './protocol.ts';
import type { Tally } from './tally.ts';

/** What a subscription wants, understood and checked. */
export interface Wanted {
  readonly id: string;
  readonly selection: Selection;
  readonly projection: Projection;
  /** As they came: for the processes that have other parts of it. */
  readonly fields?: readonly string[];
  /** Most assets it may hold. */
  readonly limit: number;
  /** Partitions that its assets can be in, ascending. */
  readonly partitions: readonly number[];
}

export type Selection =
  | { readonly idsByPartition: ReadonlyMap<number, readonly string[]> }
  | { readonly filter: AssetFilter; readonly text: string };

/** How a part begins. */
export interface Opening {
  readonly wanted: Wanted;
  /** Its partitions, ascending. */
  readonly partitions: readonly number[];
  readonly snapshot: boolean;
  readonly tally: Tally;
}

/** Why a part cannot go on, and how many updates are lost with it. */
export interface Loss {
  readonly why: 'overflow' | 'rebalance';
  readonly updates: number;
}

export interface Turn {
  readonly frames: readonly ServerFrame[];
  /** When the change behind the first delta was heard of, where it is known. */
  readonly oldest: number | null;
}

/** The assets of some partitions in a subscription, from the process where these are at work. */
export interface Part {
  /** `''` here, else the URL of the process. */
  readonly at: string;
  readonly partitions: readonly number[];
  readonly hasWork: boolean;
  /** Set once and for all: then it has to end. */
  readonly loss: Loss | null;
  /** Whether the client may hold something of it, or wait for what it would have told. */
  readonly isShown: boolean;
  /** Whether all of its snapshot has been produced. */
  readonly isComplete: boolean;
  /** The next frames: at most `limit` deltas, or one chunk of the snapshot. */
  produce(limit: number): Turn;
  /** Returns how many updates waited. */
  end(): number;
}

/** The serials of a selection by ids that are in the partitions. */
export function idsIn(
  { idsByPartition }: { readonly idsByPartition: ReadonlyMap<number, readonly string[]> },
  partitions: readonly number[],
): string[] {
  return partitions.flatMap((partition) => idsByPartition.get(partition) ?? []);
}
