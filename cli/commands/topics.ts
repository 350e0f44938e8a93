import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { refusals } from '../../runtime/log/kafka/topic-refusals.ts';
import type { PlannedTopic, TopicAction, TopicPlan } from '../../runtime/log/kafka/topic-plan.ts';
import { applyTopicPlan, readTopicPlan } from '../../runtime/log/kafka/topics.ts';
import { kafkaConnection } from '../../runtime/system/kafka-connection.ts';
import { topicNeeds } from '../../runtime/system/topic-needs.ts';
import type { Call, Command } from '../command.ts';
import { createLog } from '../log.ts';
import { count, printable, table, writeJson } from '../output.ts';
import { configOf } from '../target.ts';
import { UsageError } from '../usage-error.ts';

export const topics: Command = {
  name: 'topics',
  summary: 'Compares the topics of Kafka with what is needed (plan), and creates and alters them (apply).',
  positionals: ['plan|apply'],
  runtimeOptions: [
    'kafka.brokers',
    'kafka.topicPrefix',
    'partitions',
    'kafka.replicationFactor',
    'retentionMs',
    'retentionBytes',
    'snapshotIntervalMs',
    'kafka.ssl',
    'kafka.sslCa',
    'kafka.sslCert',
    'kafka.sslKey',
    'kafka.saslPasswordFile',
    'kafka.clientId',
    'json',
    'logLevel',
  ],
  options: {},
  details: [
    'plan changes nothing. It exits with 1 when a topic is refused: then apply does nothing either, and run does not start. Settings that Gridfold does not need are left alone, and no retention is made shorter.',
  ],
  examples: [
    { line: 'gridfold topics plan --config gridfold.yaml', doc: 'What would be done.' },
    { line: 'gridfold topics apply --config gridfold.yaml', doc: 'Does it; a second time there is nothing to do.' },
  ],
  async run(call) {
    const [action] = call.positionals;
    if (action !== 'plan' && action !== 'apply') throw new UsageError(`"${action}" is neither plan nor apply`);
    const { connection, needs } = kafkaOf(call);
    const read = action === 'plan' ? readTopicPlan : applyTopicPlan;
    const plan = await read(connection, needs);
    const refused = refusals(plan, { create: true, alter: true });
    if (call.json) writeJson(call.io.stdout, { ok: refused.length === 0, ...plan });
    else call.io.stdout.write(describe(plan, refused, action === 'apply'));
    return refused.length === 0 ? 0 : 1;
  },
};

function kafkaOf(call: Call) {
  const { config } = configOf(call);
  if (config['kafka.brokers'] === null) {
    throw new GridfoldError(
      'config_invalid',
      'fix-configuration',
      'kafka.brokers is not set: name the brokers with --kafka-brokers, GRIDFOLD_KAFKA_BROKERS or in the file of --config.',
    );
  }
  // What the client says of each try is of interest only to who asks for it: the error tells what came of them.
  const log = createLog(call.flags.logLevel === undefined ? 'silent' : config.logLevel, call.io.stderr);
  const connection = kafkaConnection(config, (level, text, fields = {}) => log[level](fields, text));
  return { connection, needs: topicNeeds(config) };
}

function describe({ topics, partitions }: TopicPlan, refused: readonly string[], isDone: boolean): string {
  const rows = topics.map(({ topic, action }) => [topic, isDone ? DONE[action.do] : action.do, details(action)]);
  const warnings = topics.flatMap(({ topic, warnings: found }) => found.map((one) => `warning: ${topic}: ${one}`));
  const lines = [...refused.map((reason) => `refused: ${reason}`), ...warnings].map(printable);
  const closing =
    refused.length > 0 ? 'Nothing is done while a topic is refused.' : summary(topics, partitions, isDone);
  return [table(['topic', 'action', 'settings'], rows), '', ...lines, closing, ''].join('\n');
}

const DONE: Readonly<Record<TopicAction['do'], string>> = {
  create: 'created',
  alter: 'altered',
  keep: 'kept',
  refuse: 'refused',
};

function details(action: TopicAction): string {
  switch (action.do) {
    case 'create':
      return Object.entries(action.settings)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ');
    case 'alter':
      return action.changes.map(({ setting, from, to }) => `${setting} ${from} -> ${to}`).join(', ');
    case 'keep':
    case 'refuse':
      return '';
  }
}

function summary(planned: readonly PlannedTopic[], partitions: number, isDone: boolean): string {
  const those = (kind: TopicAction['do']) => planned.filter(({ action }) => action.do === kind).length;
  const [created, altered] = [those('create'), those('alter')];
  const each = `of ${count(partitions, 'partition')} each`;
  if (created + altered === 0) return `Nothing to do: ${count(planned.length, 'topic')} ${each}.`;
  const verb = isDone ? 'Done' : 'To do with gridfold topics apply';
  return `${verb}: ${count(created, 'topic')} created ${each}, ${altered} altered.`;
}
