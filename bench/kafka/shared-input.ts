import { type Log, topics } from '../../runtime/log/contract.ts';

/** The telemetry of one log and everything else of another: several folds, one after the other, of the same topic. */
export function withInputOf(input: Log, own: Log): Log {
  const of = (topic: string) => (topic === topics.telemetry ? input : own);
  return {
    partitions: own.partitions,
    shared: own.shared,
    append: (topic, ...rest) => of(topic).append(topic, ...rest),
    read: (topic, ...rest) => of(topic).read(topic, ...rest),
    extent: (topic, partition) => of(topic).extent(topic, partition),
    latest: (topic, partition) => of(topic).latest(topic, partition),
    onAppend: (topic, ...rest) => of(topic).onAppend(topic, ...rest),
    claim: (journal, partition) => own.claim(journal, partition),
    commit: (claim, batch) => own.commit(claim, batch),
    publish: (claim, records) => own.publish(claim, records),
    committed: (journal, partition) => own.committed(journal, partition),
    trim: (topic, ...rest) => own.trim(topic, ...rest),
    close: async () => {
      await own.close();
      await input.close();
    },
  };
}
