import { weightiest } from './failures.ts';

/**
 * Waits for every call, also when one fails: what becomes of a transaction is judged only when nothing of it is under way
 * any more. Throws the failure that weighs most.
 */
export async function settled<T extends readonly unknown[]>(
  calls: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const results = await Promise.allSettled(calls);
  const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
  if (failures.length > 0) throw weightiest(failures);
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as never;
}
