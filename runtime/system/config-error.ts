import { GridfoldError } from '../kernel/errors.ts';

/** All that is wrong with the configuration, found in one go. Code `config_invalid`; the command line exits with 2. */
export class ConfigError extends GridfoldError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('config_invalid', 'fix-configuration', problems.join('\n'));
    this.problems = problems;
  }
}
