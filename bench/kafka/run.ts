import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kafkaClient } from '../../runtime/log/kafka/connection.ts';
import { makeTopics } from '../../runtime/log/kafka/testing/test-log.ts';
import { startBroker } from '../../test/kafka/broker.ts';
import type { Result, Task } from './contend.ts';
import { connectionTo } from './input.ts';

/** The broker of a benchmark: the one that was named, or one of its own. */
export async function openBroker(brokers: string | undefined): Promise<{ bootstrap: string; close(): Promise<void> }> {
  if (brokers !== undefined) return { bootstrap: brokers, close: async () => {} };
  return startBroker({ heapMb: 1024, quickStart: false });
}

/** Runs who only reads, in a process of its own. */
export function contend(task: Omit<Task, 'outputs'>, nodeFlags: readonly string[]): Promise<Result> {
  return child({ ...task, outputs: outputsOf(task.input) }, nodeFlags);
}

/** Runs folds side by side, each of its share of the partitions, on topics of their own that are deleted after it. */
export async function contendTogether(
  task: Omit<Task, 'outputs' | 'owned'>,
  processes: number,
  nodeFlags: readonly string[],
): Promise<Result[]> {
  const outputs = outputsOf(task.input);
  const owned = Array.from({ length: processes }, (_, i) =>
    Array.from({ length: task.partitions }, (_, p) => p).filter((p) => p % processes === i),
  );
  return withTopics(task.bootstrap, outputs, task.partitions, () =>
    Promise.all(owned.map((own) => child({ ...task, outputs, owned: own }, nodeFlags))),
  );
}

let runs = 0;

function outputsOf(input: string): string {
  return `${input}${process.pid}-${runs++}.`;
}

async function withTopics<T>(bootstrap: string, prefix: string, partitions: number, work: () => Promise<T>) {
  const connection = connectionTo(bootstrap, prefix);
  await makeTopics(connection, partitions);
  try {
    return await work();
  } finally {
    const admin = kafkaClient(connection).admin();
    await admin.connect();
    const mine = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    await admin.deleteTopics({ topics: mine });
    await admin.disconnect();
  }
}

async function child(task: Task, nodeFlags: readonly string[]): Promise<Result> {
  const program = join(import.meta.dirname, 'contend.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeFlags, program, JSON.stringify(task)]);
  return JSON.parse(stdout) as Result;
}
