import { createMachine } from 'xstate';
import type { AnyStateMachine } from 'xstate';
import { compileMachine } from './compile.ts';
import type { CompiledMachine } from './compiled.ts';

/** What a region's definition may say: the part of XState's machine configuration that a table can express. */
export interface RegionConfig<S extends string, E extends string> {
  readonly version?: string;
  readonly description?: string;
  readonly initial: NoInfer<S>;
  readonly states: { readonly [K in S]: RegionState<NoInfer<S>, E> };
  /** Transitions of every state that does not name the event itself. */
  readonly on?: { readonly [K in E]?: `.${NoInfer<S>}` };
}

export interface RegionState<S extends string, E extends string> {
  readonly description?: string;
  readonly on?: { readonly [K in E]?: S };
}

/** One region of an actor's state: its definition, which XState reads and draws, and the table that folds use. */
export interface Region<S extends string = string, E extends string = string> {
  readonly name: string;
  readonly machine: AnyStateMachine;
  readonly table: CompiledMachine<S, E>;
}

/**
 * Defines a region by a flat XState configuration and compiles it. `events` fixes their order and their names, and
 * lets the type checker find a misspelt one.
 */
export function defineRegion<const S extends string, const E extends string>(
  name: string,
  events: readonly E[],
  config: RegionConfig<S, E>,
): Region<S, E> {
  const machine: AnyStateMachine = createMachine({ id: name, ...config } as Parameters<typeof createMachine>[0]);
  const table = compileMachine(machine, { events }) as unknown as CompiledMachine<S, E>;
  return { name, machine, table };
}
