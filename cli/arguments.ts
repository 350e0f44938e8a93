import { parseArgs } from 'node:util';
import { nearest } from '../runtime/system/nearest.ts';
import { flagName, type Option } from '../runtime/system/option.ts';
import { type OptionName, optionNames, options } from '../runtime/system/options.ts';
import { type Command, type CommandOption, commonOptions } from './command.ts';
import { UsageError } from './usage-error.ts';

export interface ParsedArguments {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | number | boolean>>;
  readonly flags: Readonly<Partial<Record<OptionName, string | boolean>>>;
}

/** Reads what follows the command's name. Throws {@link UsageError} for what the command does not know. */
export function parseArguments(command: Command, args: readonly string[]): ParsedArguments {
  const runtime = runtimeFlags(command);
  const own: Readonly<Record<string, CommandOption>> = { ...commonOptions, ...command.options };
  const types: Record<string, { type: 'string' | 'boolean' }> = {};
  for (const [flag, name] of runtime) types[flag] = { type: options[name].type === 'flag' ? 'boolean' : 'string' };
  for (const [flag, option] of Object.entries(own))
    types[flag] = { type: option.type === 'flag' ? 'boolean' : 'string' };
  if (types.sim !== undefined && runtime.has('sim')) types['no-sim'] = { type: 'boolean' };
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: { ...types, help: { type: 'boolean', short: 'h' } },
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const values: Record<string, string | number | boolean> = {};
  const flags: Partial<Record<OptionName, string | boolean>> = {};
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName } = token;
    if (!Object.hasOwn(types, name)) throw unknownFlag(command, rawName, [...runtime.keys(), ...Object.keys(own)]);
    const isFlag = types[name].type === 'boolean';
    if (isFlag && token.value !== undefined) throw new UsageError(`${rawName} takes no value`);
    if (!isFlag && (token.value === undefined || isOptionLike(token))) throw new UsageError(`${rawName} needs a value`);
    if (name === 'no-sim') {
      flags.sim = '0';
      continue;
    }
    const option = runtime.get(name);
    const raw = isFlag ? true : (token.value as string);
    if (option !== undefined) flags[option] = raw;
    else values[name] = isFlag || own[name].type === 'text' ? raw : number(rawName, String(raw), own[name]);
  }
  if (values.help !== true) checkPositionals(command, positionals);
  return { positionals, values, flags };
}

/** Flags of runtime options by name; `sim` also as `--no-sim`. */
function runtimeFlags(command: Command): Map<string, OptionName> {
  const names = command.allOptions === true ? optionNames : command.runtimeOptions;
  return new Map(names.filter((name) => !isSecret(name)).map((name) => [flagName(name), name]));
}

function isSecret(name: OptionName): boolean {
  const option: Option = options[name];
  return option.secret === true;
}

/** `--host --port 1`: the value of `--host` was forgotten. A lone dash and negative numbers are values. */
function isOptionLike(token: { value: string | undefined; inlineValue: boolean | undefined }): boolean {
  return token.inlineValue === false && /^--?[A-Za-z]/.test(token.value ?? '');
}

function number(flag: string, raw: string, option: CommandOption): number {
  const { type, min = 0, max = Number.MAX_SAFE_INTEGER } = option;
  const value = /^\d+(\.\d+)?$/.test(raw) ? Number(raw) : Number.NaN;
  if (value >= min && value <= max && (type === 'number' || Number.isInteger(value))) return value;
  throw new UsageError(
    `${flag} must be a ${type === 'number' ? '' : 'whole '}number from ${min} to ${max}, not "${raw}"`,
  );
}

function unknownFlag(command: Command, rawName: string, known: readonly string[]): UsageError {
  const near = nearest(rawName, known);
  const hint = near === null ? '' : `; did you mean --${near}?`;
  return new UsageError(`gridfold ${command.name} has no option ${rawName}${hint}`);
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const required = command.positionals.filter((name) => !name.startsWith('['));
  const usage = `gridfold ${[command.name, ...command.positionals].join(' ')}`;
  if (given.length < required.length) throw new UsageError(`${required[given.length]} is missing: ${usage}`);
  if (command.positionals.at(-1)?.endsWith('...')) return;
  if (given.length > command.positionals.length) {
    throw new UsageError(`"${given[command.positionals.length]}" is one argument too many: ${usage}`);
  }
}
