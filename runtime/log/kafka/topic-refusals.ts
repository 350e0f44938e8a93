import type { TopicAction, TopicPlan } from './topic-plan.ts';

/** What may be done about a plan. */
export interface Permission {
  readonly create: boolean;
  readonly alter: boolean;
}

/** Why the topics cannot be used when no more than this is done: a line for each reason, with the topics it is about. */
export function refusals({ topics }: TopicPlan, permission: Permission): string[] {
  const byReason = new Map<string, string[]>();
  for (const { topic, action } of topics) {
    for (const reason of reasons(action, permission)) byReason.set(reason, [...(byReason.get(reason) ?? []), topic]);
  }
  return Array.from(byReason, ([reason, names]) => `${names.join(', ')}: ${reason}`);
}

function reasons(action: TopicAction, { create, alter }: Permission): readonly string[] {
  if (action.do === 'refuse') return action.problems;
  if (action.do === 'create' && !create) {
    return [
      'missing, and kafka.createTopics is false. gridfold topics plan says how it must be, gridfold topics apply creates it.',
    ];
  }
  if (action.do !== 'alter' || alter) return [];
  return action.changes
    .filter(({ danger }) => danger !== null)
    .map(
      ({ setting, from, to, danger }) =>
        `${setting} is ${from} and must be ${to}: ${danger}. gridfold topics apply sets it.`,
    );
}
