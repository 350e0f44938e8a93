/** How we know of a session's start: its `Started`, a later message that names it, or only its end. */
export type OpenedBy = 'started' | 'seen' | 'ended';
/** What closed it: its `Ended`; the status Available or the next session's start, where no `Ended` came. */
export type ClosedBy = 'ended' | 'available' | 'next';

/** Data of a `charging_session`. */
export interface SessionData {
  readonly sessionId: string;
  readonly startTime: number;
  readonly endTime: number | null;
  readonly energyWh: number;
  readonly maxW: number | null;
  readonly meanW: number | null;
  readonly offeredW: number | null;
  readonly limitedSeconds: number;
  readonly idleSeconds: number;
  readonly socFrom: number | null;
  readonly socTo: number | null;
  readonly stoppedReason: string | null;
  readonly openedBy: OpenedBy;
  readonly closedBy: ClosedBy | null;
  readonly exceedsMaxPower: boolean | null;
  readonly seqGaps: number;
}

/** Names of the open session, and what is known of the one before. */
export interface SessionSide {
  /** Null while no session is open. */
  readonly open: { readonly id: string; readonly openedBy: OpenedBy } | null;
  /** The sessions that closed last, newest first: what else is said of them changes nothing. */
  readonly closed: readonly string[];
  /** That session where no `Ended` closed it: one may still come. With the energy counted at its close. */
  readonly unended: { readonly data: SessionData; readonly totalInWh: number } | null;
}

/** What a reading says about its session. */
export interface SessionWord {
  /** Index in SESSION_EVENTS, NaN where it tells none. */
  event: number;
  /** The id that it tells, or null. */
  id: string | null;
  stoppedReason: string | null;
  /** NaN where it tells none. */
  seqNo: number;
  /** It says, or nothing since, that the stall is free. */
  isFree: boolean;
  /** Energy into the asset that this reading added, Wh. */
  addedWh: number;
}
