import { GridfoldError } from '../runtime/kernel/errors.ts';

/** The command line cannot be understood; exit code 2. */
export class UsageError extends GridfoldError {
  constructor(message: string) {
    super('usage', 'fix-configuration', message);
  }
}
