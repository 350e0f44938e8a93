/** Whether `ms` have passed between two readings of a wall clock; a clock that was set back says nothing, so: yes. */
export function hasPassed(ms: number, since: number, now: number): boolean {
  return now < since || now - since >= ms;
}
