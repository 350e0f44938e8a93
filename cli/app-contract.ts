import type { Engine } from '../runtime/system/engine.ts';
import type { Config } from '../runtime/system/config.ts';
import type { Logger } from 'pino';

/**
 * The whole of Gridfold in this process, assembled (cli/app.ts). Commands talk to it as they talk to any instance, over
 * HTTP at `url`; only `run` looks at the engine.
 */
export interface App {
  /** Where HTTP and WebSocket are served, for instance `http://127.0.0.1:4343`; never with a slash at the end. */
  readonly url: string;
  readonly engine: Engine;
  /** Resolves when every partition has recovered and is live. */
  readonly live: Promise<void>;
  /** Resolves with what ended the app when it cannot go on; never rejects, stays pending while all is well. */
  readonly failed: Promise<Error>;
  /** Stops taking input, commits, snapshots, lets sinks commit, closes. May be called again; then it waits for the first call. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Token that commands of the same user show; it stands in `DIR/instance.json`, readable by the owner only. */
  readonly localToken: string;
  readonly log: Logger;
}

/**
 * Resolves when HTTP serves; recovery may go on behind it. Throws GridfoldError `data_dir_in_use` (stop) when another
 * process has the data folder, `port_in_use` (fix-configuration) when it has the port.
 */
export type OpenApp = (config: Config, options: OpenOptions) => Promise<App>;

/** Answer of `GET /v1/audit`: every sink against the log. */
export interface AuditReport {
  /** Nothing lost, nothing doubled. */
  readonly ok: boolean;
  readonly sinks: readonly AuditRow[];
}

export interface AuditRow {
  readonly sink: string;
  readonly partition: number;
  /** Next offset of the derived topic that the sink wants. */
  readonly next: number;
  /** End of the derived topic. */
  readonly logEnd: number;
  readonly rows: number;
  readonly doubled: number;
  readonly missing: number;
}
