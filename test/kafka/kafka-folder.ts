import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Folder } from '../acceptance/gridfold.ts';

/** What a configuration file says, by section or name. */
export type Settings = Readonly<Record<string, unknown>>;

/** What a process needs to know of a Kafka, for its configuration file. */
export interface Cluster {
  /** `host:port`. */
  readonly brokers: string;
  /** Begins the names of the topics; the group has the same name. */
  readonly prefix: string;
  readonly partitions: number;
}

/** A data folder whose commands work on a Kafka: one process of a group. */
export class KafkaFolder extends Folder {
  readonly config: string;

  /** `kafka` and `rest` are added to the file, or replace what stands there. */
  constructor({ brokers, prefix, partitions }: Cluster, kafka: Settings = {}, rest: Settings = {}) {
    super();
    this.config = join(this.base, 'gridfold.json');
    const own = { brokers: [brokers], topicPrefix: `${prefix}.`, groupId: prefix, ...kafka };
    writeFileSync(this.config, JSON.stringify({ kafka: own, partitions, ...rest }));
    this.flags = ['--config', this.config];
  }
}
