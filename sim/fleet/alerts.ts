export interface ActiveAlert {
  readonly name: string;
  readonly severity: 'rma' | 'critical' | 'performance' | 'informational';
  /** RFC 3339. */
  readonly startedAt: string;
}

/** The alerts of an asset after a step: `reported` names those that just ended once more, with their end. */
export interface AlertStep {
  readonly active: readonly ActiveAlert[];
  /** Null when nothing began or ended. */
  readonly reported: readonly object[] | null;
}

export function stepAlerts(
  before: readonly ActiveAlert[],
  wanted: readonly Omit<ActiveAlert, 'startedAt'>[],
  now: string,
): AlertStep {
  const ended = before.filter((alert) => !wanted.some(({ name }) => name === alert.name));
  const active = wanted.map((alert) => before.find(({ name }) => name === alert.name) ?? { ...alert, startedAt: now });
  const began = active.some((alert) => !before.includes(alert));
  if (!began && ended.length === 0) return { active: before, reported: null };
  return { active, reported: [...active, ...ended.map((alert) => ({ ...alert, endedAt: now }))] };
}
