import type { DuckDbSink } from '../../actors/sinks/duckdb/sink.ts';
import type { Engine } from '../../runtime/system/engine.ts';
import { setLogs } from './reprocess-log.ts';
import type { SetParts } from './reprocess-set.ts';
import { ReprocessedSets } from './reprocess.ts';

type Parts = Omit<SetParts, 'openLog' | 'tables'> & {
  readonly tables: DuckDbSink | null;
  /** The live fold. */
  readonly engine: Pick<Engine, 'settled'>;
};

/** Reprocessing for a process that keeps tables; undefined for one that keeps none, since the sets' stand beside them. */
export function openReprocessing({ tables, engine, ...parts }: Parts): ReprocessedSets | undefined {
  if (tables === null) return undefined;
  const { config, source, clock, message } = parts;
  const logs = setLogs(config, source.partitions, clock, message);
  return new ReprocessedSets({
    ...parts,
    tables,
    openLog: (name) => logs.open(name),
    dropLog: (name) => logs.drop(name),
    settleLive: () => engine.settled(),
  });
}
