/** `npm run kafka`: one Kafka broker on this machine, until Ctrl-C. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { Broker } from './broker.ts';
import { kafkaJars } from './jars.ts';
import { freePort, isFree } from './ports.ts';

const USAGE = `usage: npm run kafka -- [options]

  --port N     port on 127.0.0.1 (default 9092)
  --dir DIR    where its data stands (default .gridfold-kafka); delete it to begin anew
  --heap MB    Java heap in MB (default 512)
  --fetch      only fetch the jars
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '9092' },
      dir: { type: 'string', default: '.gridfold-kafka' },
      heap: { type: 'string', default: '512' },
      fetch: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  if (values.fetch) return void console.log(`the jars of Kafka stand in ${kafkaJars()}`);

  const port = wholeNumber('--port', values.port, 1, 65_535);
  const heapMb = wholeNumber('--heap', values.heap, 128, 65_536);
  if (!(await isFree(port))) {
    throw new GridfoldError('port-taken', 'fix-configuration', `Port ${port} is taken; choose another with --port.`);
  }
  const dir = resolve(values.dir);
  const broker = new Broker({ dir, port, controllerPort: await freePort(), heapMb });
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stopping = true;
      void broker.stop();
    });
  }
  try {
    await broker.start();
  } catch (error) {
    if (stopping) return;
    throw error;
  }
  if (stopping) return broker.stop();
  console.log(`Kafka listens on ${broker.bootstrap} (data in ${dir}). Ctrl-C stops it.`);
  await broker.ended();
}

function wholeNumber(option: string, text: string, lowest: number, highest: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= lowest && value <= highest) return value;
  const message = `${option} ${text} is not a whole number from ${lowest} to ${highest}.`;
  throw new GridfoldError('bad-option', 'fix-configuration', message);
}

try {
  await main();
} catch (error) {
  console.error(`kafka: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof GridfoldError ? 1 : 2;
}
