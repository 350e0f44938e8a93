/**
 * kafkajs 2.2.4 shows records of aborted transactions to readers of committed ones where two of them overlap: the broker
 * lists them in the order in which they ended, kafkajs takes that for the order in which they began. Loading this module
 * has them hidden before kafkajs looks.
 */
import { createRequire } from 'node:module';

/** What is used here of a message as kafkajs decodes it. */
export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  /** True for markers; kafkajs passes over them. */
  isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

export interface FetchedPartition {
  abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  /** In order of offset. */
  readonly messages: readonly FetchedMessage[];
}

interface Fetched {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
}

const ABORT = Buffer.from([0, 0, 0, 0]);

/** Makes control records of those that were aborted: they are passed over, and reading goes on behind them. */
export function hideAborted(partition: FetchedPartition): void {
  const begun = [...(partition.abortedTransactions ?? [])].sort(
    (a, b) => Number(a.firstOffset) - Number(b.firstOffset),
  );
  const aborted = new Set<string>();
  for (const message of partition.messages) {
    while (begun.length > 0 && Number(begun[0].firstOffset) <= Number(message.offset))
      aborted.add(begun.shift()!.producerId);
    const { producerId, inTransaction } = message.batchContext;
    if (message.isControlRecord) {
      if (message.key?.equals(ABORT)) aborted.delete(producerId);
    } else if (inTransaction && aborted.has(producerId)) message.isControlRecord = true;
  }
  partition.abortedTransactions = [];
}

const { prototype } = createRequire(import.meta.url)('kafkajs/src/broker') as {
  prototype: { fetch(...wanted: unknown[]): Promise<Fetched> };
};
const fetchAsItComes = prototype.fetch;
prototype.fetch = async function (...wanted) {
  const fetched = await fetchAsItComes.apply(this, wanted);
  for (const { partitions } of fetched.responses) partitions.forEach(hideAborted);
  return fetched;
};
