import { type Step, StepKind } from '../../runtime/shard/journal.ts';

/** How many inputs of each topic were folded, as causes of events count them. */
export type Folded = Record<'telemetry' | 'lifecycle' | 'timers', number>;

const TOPIC: Readonly<Record<number, keyof Folded>> = {
  [StepKind.telemetry]: 'telemetry',
  [StepKind.lifecycle]: 'lifecycle',
  [StepKind.timers]: 'timers',
  [StepKind.publish]: 'timers',
};

interface Stretch {
  readonly kind: number;
  count: number;
}

/** What two journals folded in the same order from the beginning on. When commits and turns ended does not count. */
export function foldedAlike(a: readonly Step[], b: readonly Step[]): Folded {
  const folded: Folded = { telemetry: 0, lifecycle: 0, timers: 0 };
  const [left, right] = [stretches(a), stretches(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i].kind !== right[i].kind) break;
    folded[TOPIC[left[i].kind]] += Math.min(left[i].count, right[i].count);
    if (left[i].count !== right[i].count) break;
  }
  return folded;
}

function stretches(steps: readonly Step[]): Stretch[] {
  const merged: Stretch[] = [];
  for (const { kind, count } of steps) {
    if (TOPIC[kind] === undefined) continue;
    const last = merged.at(-1);
    if (last?.kind === kind) last.count += count;
    else merged.push({ kind, count });
  }
  return merged;
}
