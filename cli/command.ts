import type { OpenApp } from './app-contract.ts';
import type { Io } from './io.ts';
import type { OptionName } from '../runtime/system/options.ts';

/** An option of one command that is not an option of the runtime. */
export interface CommandOption {
  readonly type: 'text' | 'integer' | 'number' | 'flag';
  /** Stands behind the option in the help, for instance FILE. */
  readonly value?: string;
  readonly doc: string;
  readonly min?: number;
  readonly max?: number;
}

/** One word after `gridfold`. */
export interface Command {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Names of the arguments; `FILE` is required, `[FILE]` is not, `FILE...` is one or more and comes last. */
  readonly positionals: readonly string[];
  /** Runtime options that are shown in the help; all of them are accepted as flags when `allOptions` is set. */
  readonly runtimeOptions: readonly OptionName[];
  readonly allOptions?: boolean;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Further paragraphs of help. */
  readonly details?: readonly string[];
  readonly examples: readonly { readonly line: string; readonly doc: string }[];
  /** Returns the exit code: 0 done, 1 the thing asked for is false or failed. Errors go to the caller. */
  run(call: Call): Promise<number>;
}

/** A command as it was called. */
export interface Call {
  readonly positionals: readonly string[];
  /** Values of the command's own options that were given. */
  readonly values: Readonly<Record<string, string | number | boolean>>;
  /** Runtime options given as flags. */
  readonly flags: Readonly<Partial<Record<OptionName, string | boolean>>>;
  readonly json: boolean;
  readonly io: Io;
  readonly openApp: OpenApp;
}

/** Options that every command has. */
export const commonOptions = {
  help: { type: 'flag', doc: 'Shows this help.' },
  config: { type: 'text', value: 'FILE', doc: 'Configuration file, YAML or JSON. Also GRIDFOLD_CONFIG.' },
} as const satisfies Record<string, CommandOption>;

/** Option of the commands that can ask a running instance. */
export const urlOption = {
  url: {
    type: 'text',
    value: 'URL',
    doc: 'Instance to ask, for instance http://127.0.0.1:4343. Also GRIDFOLD_URL. Else the one that runs on the data folder, else the folder itself is opened.',
  },
} as const satisfies Record<string, CommandOption>;
