import { describe, expect, it } from 'vitest';
import { backoffMs, isCounted, type Step, turnAfter } from './group-turn.ts';

const steps: readonly Step[] = ['join', 'sync', 'heartbeat'];

describe('what a member does after a failure', () => {
  it.each(steps)('joins at once when the group is being shared out anew, and keeps what it has (%s)', (step) => {
    expect(turnAfter(step, 'REBALANCE_IN_PROGRESS')).toMatchObject({ next: 'join', lost: false, wait: false });
  });

  it.each(steps)(
    'joins as a new member when it is not known any more, and counts its partitions as lost (%s)',
    (step) => {
      const turn = { next: 'join', forgetId: true, lost: true, fatal: false };
      expect(turnAfter(step, 'UNKNOWN_MEMBER_ID')).toMatchObject(turn);
      expect(turnAfter(step, 'FENCED_INSTANCE_ID')).toMatchObject(turn);
    },
  );

  it('joins under its name when the group went on to another generation without it', () => {
    expect(turnAfter('heartbeat', 'ILLEGAL_GENERATION')).toMatchObject({ next: 'join', forgetId: false, lost: true });
  });

  it.each([null, 'NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'GROUP_LOAD_IN_PROGRESS'])(
    'looks for the coordinator anew and stays a member after %s',
    (type) => {
      const turn = { lost: false, forgetId: false, reconnect: true, wait: true, fatal: false };
      expect(turnAfter('heartbeat', type)).toMatchObject({ ...turn, next: 'heartbeat' });
      expect(turnAfter('sync', type)).toMatchObject({ ...turn, next: 'join' });
      expect(turnAfter('join', type)).toMatchObject({ ...turn, next: 'join' });
    },
  );

  it('calls a person where trying again is of no use', () => {
    for (const type of ['INCONSISTENT_GROUP_PROTOCOL', 'GROUP_AUTHORIZATION_FAILED', 'SASL_AUTHENTICATION_FAILED']) {
      expect(turnAfter('join', type)).toMatchObject({ fatal: true, wait: true });
    }
  });

  it('waits longer with each failure, up to two seconds', () => {
    expect([1, 2, 3, 4, 5, 6, 60].map(backoffMs)).toEqual([100, 200, 400, 800, 1_600, 2_000, 2_000]);
  });
});

describe('whether a member still counts', () => {
  it('does for a session after it was last heard', () => {
    const contact = { heardMs: 1_000, joiningMs: null };
    expect(isCounted(10_999, contact, 10_000, 30_000)).toBe(true);
    expect(isCounted(11_000, contact, 10_000, 30_000)).toBe(false);
  });

  it('does while its join waits for those of the others', () => {
    const contact = { heardMs: 1_000, joiningMs: 5_000 };
    expect(isCounted(34_999, contact, 10_000, 30_000)).toBe(true);
    expect(isCounted(35_000, contact, 10_000, 30_000)).toBe(false);
  });
});
