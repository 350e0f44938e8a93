import { BadValue, readValue } from './config-value.ts';
import { ConfigError } from './config-error.ts';
import { readConfigFile } from './config-file.ts';
import { contradictions, oddities } from './config-rules.ts';
import { nearest } from './nearest.ts';
import { type Config, type OptionName, optionNames, options } from './options.ts';
import { environmentName, flagName, type Option } from './option.ts';

export { ConfigError } from './config-error.ts';
export type { Config } from './options.ts';

export interface KindDefaults {
  readonly cadenceSeconds: number;
  /** IANA name. */
  readonly timeZone: string;
}

export interface ConfigSources {
  /** YAML or JSON. */
  readonly file?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** By option name. */
  readonly flags?: Readonly<Partial<Record<OptionName, string | boolean>>>;
  readonly kinds: Readonly<Record<string, KindDefaults>>;
}

export interface LoadedConfig {
  readonly config: Config;
  /** What is odd without being wrong; to be logged. */
  readonly warnings: readonly string[];
}

/** Variables that start with GRIDFOLD_ and are not options. */
const OTHER_VARIABLES =
  /^GRIDFOLD_(CONFIG|URL|DATA|CRASH_AT|KAFKA_LIBS|(TEST|BENCH|FAULT|LONG)_\w+|(TEST|BENCH|FAULT|LONG)S?)$/;

type Values = Partial<Record<OptionName, unknown>>;

/**
 * The configuration from defaults, file, environment and flags, the later ones winning; values per kind are merged
 * kind by kind. Throws {@link ConfigError} with every problem of every source.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const kinds = Object.keys(sources.kinds);
  const problems: string[] = [];
  const warnings: string[] = [];
  const values = defaults(sources.kinds);
  const take = (place: string, name: OptionName, raw: unknown): void => {
    try {
      merge(values, name, readValue(options[name], raw, kinds));
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      problems.push(`${place}: ${error.message}${shown(options[name], raw)}`);
    }
  };
  if (sources.file !== undefined) takeFile(sources.file, take, problems);
  takeEnvironment(sources.environment ?? {}, take, warnings);
  for (const [name, raw] of Object.entries(sources.flags ?? {})) {
    if (raw !== undefined) take(`--${flagName(name)}`, name as OptionName, raw);
  }
  const config = values as Config;
  if (problems.length === 0) problems.push(...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, warnings: [...warnings, ...oddities(config)] };
}

function takeFile(
  path: string,
  take: (place: string, name: OptionName, raw: unknown) => void,
  problems: string[],
): void {
  let entries: Map<string, unknown>;
  try {
    entries = readConfigFile(path, optionNames);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return;
  }
  for (const [name, raw] of entries) {
    if (isOption(name)) take(`${path}: ${name}`, name, raw);
    else problems.push(`${path}: ${name} is not an option${suggestion(nearest(name, optionNames))}`);
  }
}

function takeEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  take: (place: string, name: OptionName, raw: unknown) => void,
  warnings: string[],
): void {
  const byVariable = new Map(optionNames.map((name) => [environmentName(name), name]));
  for (const [variable, raw] of Object.entries(environment)) {
    if (!variable.startsWith('GRIDFOLD_') || raw === undefined || raw === '') continue;
    const name = byVariable.get(variable);
    if (name !== undefined) take(variable, name, raw);
    else if (!OTHER_VARIABLES.test(variable)) {
      // Not an error: orchestrators set variables of their own after a service's name.
      warnings.push(`${variable} is not an option${suggestion(nearest(variable, [...byVariable.keys()]))}`);
    }
  }
}

function defaults(kinds: ConfigSources['kinds']): Values {
  const values: Values = {};
  for (const name of optionNames) {
    const option: Option = options[name];
    if ('default' in option) values[name] = option.default;
  }
  const entries = Object.entries(kinds);
  values.cadenceSeconds = Object.fromEntries(entries.map(([kind, { cadenceSeconds }]) => [kind, cadenceSeconds]));
  values.timeZone = Object.fromEntries(entries.map(([kind, { timeZone }]) => [kind, timeZone]));
  return values;
}

function merge(values: Values, name: OptionName, value: unknown): void {
  const isPerKind = options[name].type.startsWith('per-kind');
  values[name] = isPerKind ? { ...(values[name] as object), ...(value as object) } : value;
}

/** The configuration as it may be printed: secrets are named, not shown. */
export function printable(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    optionNames.map((name) => [name, isSecret(options[name]) && config[name] !== null ? '(set)' : config[name]]),
  );
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}

function isSecret(option: Option): boolean {
  return option.secret === true;
}

function shown(option: Option, raw: unknown): string {
  // A password that somebody put into an address is not repeated.
  const text = String(JSON.stringify(raw)).replaceAll(/\/\/[^/@"]*@/g, '//…@');
  return isSecret(option) ? '' : `, not ${text.slice(0, 80)}`;
}

function suggestion(name: string | null): string {
  return name === null ? '' : `; did you mean ${name}?`;
}
