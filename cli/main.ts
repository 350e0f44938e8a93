import { GridfoldError } from '../runtime/kernel/errors.ts';
import { ConfigError } from '../runtime/system/config.ts';
import { nearest } from '../runtime/system/nearest.ts';
import type { OpenApp } from './app-contract.ts';
import { parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { audit } from './commands/audit.ts';
import { deadLetters } from './commands/dead-letters.ts';
import { ingest } from './commands/ingest.ts';
import { replay } from './commands/replay.ts';
import { reprocess } from './commands/reprocess.ts';
import { run } from './commands/run.ts';
import { scenario } from './commands/scenario.ts';
import { sim } from './commands/sim.ts';
import { sql } from './commands/sql.ts';
import { state } from './commands/state.ts';
import { topics } from './commands/topics.ts';
import { commandHelp, generalHelp } from './help.ts';
import type { Io } from './io.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

export const commands: readonly Command[] = [
  run,
  ingest,
  replay,
  reprocess,
  sql,
  state,
  audit,
  deadLetters,
  sim,
  scenario,
  topics,
];

/** Codes of errors whose cause is how the command was called, or a file that it names. */
const USAGE_CODES = new Set([
  'usage',
  'config_invalid',
  'input_unreadable',
  'recording_malformed',
  'recording_unreadable',
  'recording_option_invalid',
  'recording_format_unknown',
  'sim_option_invalid',
  'port_unavailable',
]);

/** Runs the command line and returns its exit code: 0 done, 1 false or failed, 2 wrong usage. Never throws. */
export async function main(args: readonly string[], io: Io, openApp: OpenApp): Promise<number> {
  try {
    return await dispatch(args, io, openApp);
  } catch (error) {
    return tell(error, io);
  }
}

async function dispatch(args: readonly string[], io: Io, openApp: OpenApp): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version') {
    io.stdout.write(`${version}\n`);
    return 0;
  }
  if (name === undefined) {
    io.stderr.write(generalHelp(commands));
    return 2;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const about = commands.find((command) => command.name === rest[0]);
    io.stdout.write(about === undefined ? generalHelp(commands) : commandHelp(about));
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) throw new UsageError(unknownCommand(name));
  const parsed = parseArguments(command, rest);
  if (parsed.values.help === true) {
    io.stdout.write(commandHelp(command));
    return 0;
  }
  const json = parsed.flags.json === true || /^(1|true|yes|on)$/i.test(io.environment.GRIDFOLD_JSON ?? '');
  return command.run({ ...parsed, json, io, openApp });
}

function unknownCommand(name: string): string {
  const names = commands.map((command) => command.name);
  const near = nearest(name, names);
  const hint = near === null ? `known: ${names.join(', ')}` : `did you mean ${near}?`;
  return `there is no command "${name}"; ${hint}`;
}

function tell(error: unknown, io: Io): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) io.stderr.write(`gridfold: ${problem}\n`);
    return 2;
  }
  if (error instanceof GridfoldError) {
    const hint = error.code === 'usage' ? '\nSee gridfold --help' : ` [${error.code}]`;
    io.stderr.write(`gridfold: ${error.message}${hint}\n`);
    return USAGE_CODES.has(error.code) ? 2 : 1;
  }
  io.stderr.write(`gridfold: unexpected error, please report it:\n${(error as Error)?.stack ?? String(error)}\n`);
  return 1;
}
