/** What a caller must do about an error: the reaction is part of its type, so nobody has to parse messages. */
export type Reaction = 'retry' | 'stop' | 'rejoin' | 'fix-configuration';

/**
 * The one error class of the runtime.
 *
 * `code` is stable and documented in docs/operate.md; `reaction` says what the caller must do;
 * the message tells a person what happened and what to do next.
 */
export class GridfoldError extends Error {
  readonly code: string;
  readonly reaction: Reaction;

  constructor(code: string, reaction: Reaction, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GridfoldError';
    this.code = code;
    this.reaction = reaction;
  }
}
