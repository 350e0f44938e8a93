import { GridfoldError } from '../../runtime/kernel/errors.ts';

/** Where a derived event comes from: the record that caused it and the event's place among its effects. */
export interface Cause {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly ordinal: number;
}

const pattern = /^(.+)-(\d+)-(\d+)-(\d+)$/;

/** Reads `{topic}-{partition}-{offset}-{ordinal}` from the right: the topic may hold hyphens. Throws `sink_event_invalid` (stop). */
export function parseEventId(id: string): Cause {
  const match = pattern.exec(id);
  if (match === null) {
    throw new GridfoldError(
      'sink_event_invalid',
      'stop',
      `event id ${JSON.stringify(id)} is not topic-partition-offset-ordinal`,
    );
  }
  return { topic: match[1], partition: Number(match[2]), offset: Number(match[3]), ordinal: Number(match[4]) };
}
