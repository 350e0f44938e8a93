import type { JudgedSchemas } from '../runtime/shard/contract.ts';
import { Reason } from './reasons.ts';
import { payloadAt, type ResolvedSchema, type SchemaTable, schemaIdOf } from './wire.ts';

/** A schema, and what reads the values that were written with it. */
export interface Route<T> {
  readonly id: number;
  readonly schema: ResolvedSchema;
  readonly reader: T;
}

const MAX_ROUTES = 256;

/** Leads values with a header to what reads them, by the id of their schema. */
export class Routes<T> {
  /** Where the value begins that `of` found a route for. */
  start = 0;
  private readonly subject: ResolvedSchema['subject'];
  private readonly schemas: SchemaTable;
  private readonly make: (schema: ResolvedSchema) => T | null;
  /** The schema of an id never changes. */
  private readonly routes = new Map<number, Route<T>>();
  private last: Route<T> | null = null;

  /** `make` gives null where the text of a schema is none. */
  constructor(subject: ResolvedSchema['subject'], schemas: SchemaTable, make: (schema: ResolvedSchema) => T | null) {
    this.subject = subject;
    this.schemas = schemas;
    this.make = make;
  }

  /**
   * What reads bytes [start, end), which begin with 0; or the index of the reason why nothing does. Schemas that are
   * `judged` not to exist do not, whatever the table says.
   */
  of(bytes: Uint8Array, start: number, end: number, judged?: JudgedSchemas): T | number {
    const id = schemaIdOf(bytes, start, end);
    if (id < 0) return Reason.undecodable;
    if (judged?.unknown.has(id)) return Reason.unknown_schema;
    const route = this.last?.id === id ? this.last : this.find(id);
    if (typeof route === 'number') return route;
    this.start = payloadAt(route.schema.format, bytes, start, end);
    return this.start < 0 ? Reason.undecodable : route.reader;
  }

  private find(id: number): Route<T> | number {
    const route = this.routes.get(id) ?? this.open(id);
    if (typeof route !== 'number') this.last = route;
    return route;
  }

  private open(id: number): Route<T> | number {
    const schema = this.schemas.get(id);
    if (schema === undefined || schema === 'unknown') return Reason.unknown_schema;
    if (schema.subject !== this.subject) return Reason.wrong_topic;
    const reader = this.make(schema);
    if (reader === null) return Reason.undecodable;
    const route = { id, schema, reader };
    if (this.routes.size >= MAX_ROUTES) this.routes.clear();
    this.routes.set(id, route);
    return route;
  }
}
