/**
 * How one option is described. A description is the only place where an option stands: reading, checking, help text
 * and docs come from it. The unit of a number is the end of its name (`commitIntervalMs`).
 */
export type Option =
  | TextOption
  | IntegerOption
  | FlagOption
  | WordOption
  | PerKindOption<'per-kind-integer', number>
  | PerKindOption<'per-kind-text', string>;

interface Described {
  /** One sentence, for help and docs. */
  readonly doc: string;
  /** Never printed, and not a flag: a command line can be read by every user of the machine. */
  readonly secret?: boolean;
}

export interface TextOption extends Described {
  readonly type: 'text';
  readonly default: string | null;
  /** Reason why a value is wrong, or null. */
  readonly refuse?: (value: string) => string | null;
}

export interface IntegerOption extends Described {
  readonly type: 'integer';
  /** Null: not set. */
  readonly default: number | null;
  readonly min: number;
  readonly max: number;
}

export interface FlagOption extends Described {
  readonly type: 'flag';
  readonly default: boolean;
}

export interface WordOption<W extends string = string> extends Described {
  readonly type: 'word';
  readonly words: readonly W[];
  readonly default: W;
}

/** A value per kind of asset. The kinds and their defaults come from outside: the runtime knows none. */
export interface PerKindOption<T extends string, V> extends Described {
  readonly type: T;
  readonly min?: number;
  readonly max?: number;
  /** Reason why a value is wrong, or null. */
  readonly refuse?: (value: V) => string | null;
}

/** Type of the value that an option has in the configuration. */
export type ValueOf<O extends Option> = O extends { type: 'text' }
  ? O['default'] extends string
    ? string
    : string | null
  : O extends { type: 'integer' }
    ? O['default'] extends number
      ? number
      : number | null
    : O extends { type: 'flag' }
      ? boolean
      : O extends { type: 'word'; words: readonly (infer W)[] }
        ? W
        : O extends { type: 'per-kind-integer' }
          ? Readonly<Record<string, number>>
          : Readonly<Record<string, string>>;

/** `kafka.topicPrefix` is `GRIDFOLD_KAFKA_TOPIC_PREFIX` in the environment. */
export function environmentName(option: string): string {
  return `GRIDFOLD_${words(option).join('_').toUpperCase()}`;
}

/** `kafka.topicPrefix` is `--kafka-topic-prefix` on the command line (here without the dashes). */
export function flagName(option: string): string {
  return words(option).join('-').toLowerCase();
}

function words(option: string): string[] {
  return option.split('.').flatMap((part) => part.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').split(' '));
}
