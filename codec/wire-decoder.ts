import type { ReadingDecoder } from '../runtime/shard/contract.ts';
import type { Reading } from '../runtime/shard/reading.ts';
import { AvroFormat } from './avro/telemetry.ts';
import { parseAvroSchema } from './avro/schema.ts';
import { builtInTable } from './built-in.ts';
import { FlatBuffersFormat } from './flatbuffers/telemetry.ts';
import type { TelemetryFormat } from './format.ts';
import { JsonFormat } from './json-format.ts';
import { type DecodedKind, KindPlan } from './plan.ts';
import { ProblemCounts } from './problems.ts';
import { ProtobufFormat } from './protobuf/telemetry.ts';
import { REASONS, Reason } from './reasons.ts';
import { TelemetryDecoder, type TelemetryLimits } from './telemetry.ts';
import { payloadAt, type ResolvedSchema, type SchemaTable, schemaIdOf } from './wire.ts';
import { type WirePlan, wirePlans } from './wire-plan.ts';

export interface WireOptions extends TelemetryLimits {
  /** Knows the schemas that values name. Default: those of this version, under their own ids. */
  readonly schemas?: SchemaTable;
}

/** What a schema id leads to. */
interface Route {
  readonly id: number;
  readonly schema: ResolvedSchema;
  readonly decoder: TelemetryDecoder;
}

const MAX_ROUTES = 256;

/**
 * Decodes telemetry records of every format: JSON as it is, the others behind the header that names their schema. What
 * a record means does not depend on the format that it comes in.
 */
export class WireDecoder implements ReadingDecoder {
  readonly reasons: readonly string[] = REASONS.map(({ code }) => code);
  serialBytes: Uint8Array = new Uint8Array(0);
  serialStart = 0;
  serialEnd = 0;
  private readonly schemas: SchemaTable;
  private readonly limits: TelemetryLimits;
  private readonly counts = new ProblemCounts();
  private readonly kinds: readonly KindPlan[];
  private readonly plans: readonly WirePlan[];
  private readonly json: TelemetryDecoder;
  /** By schema id. The schema of an id never changes. */
  private readonly routes = new Map<number, Route>();
  private last: Route | null = null;

  constructor(kinds: readonly DecodedKind[], { schemas = builtInTable, ...limits }: WireOptions = {}) {
    this.schemas = schemas;
    this.limits = limits;
    this.kinds = kinds.map((kind) => new KindPlan(kind));
    this.plans = wirePlans(kinds, this.kinds);
    this.json = this.decoderFor(new JsonFormat(this.kinds, this.counts.pending, limits.maxBytes));
  }

  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    if (bytes[start] !== 0 || end === start) return this.decodeWith(this.json, bytes, start, end, timestamp, reading);
    const id = schemaIdOf(bytes, start, end);
    if (id < 0) return Reason.undecodable;
    const route = this.last?.id === id ? this.last : this.find(id);
    if (typeof route === 'number') return route;
    const at = payloadAt(route.schema.format, bytes, start, end);
    return at < 0 ? Reason.undecodable : this.decodeWith(route.decoder, bytes, at, end, timestamp, reading);
  }

  /** How often each problem inside an accepted record was met, in all formats together. */
  get problems(): ReadonlyMap<string, number> {
    return this.counts.totals;
  }

  private decodeWith(
    decoder: TelemetryDecoder,
    bytes: Uint8Array,
    start: number,
    end: number,
    timestamp: number,
    reading: Reading,
  ): number {
    const reason = decoder.decode(bytes, start, end, timestamp, reading);
    this.serialBytes = decoder.serialBytes;
    this.serialStart = decoder.serialStart;
    this.serialEnd = decoder.serialEnd;
    return reason;
  }

  /** The route of a schema, or the index of the reason why there is none. */
  private find(id: number): Route | number {
    const route = this.routes.get(id) ?? this.newRoute(id);
    if (typeof route !== 'number') this.last = route;
    return route;
  }

  private newRoute(id: number): Route | number {
    const schema = this.schemas.get(id);
    if (schema === undefined || schema === 'unknown') return Reason.unknown_schema;
    if (schema.subject !== 'telemetry') return Reason.wrong_topic;
    const format = this.formatOf(schema);
    if (format === null) return Reason.undecodable;
    const route = { id, schema, decoder: this.decoderFor(format) };
    if (this.routes.size >= MAX_ROUTES) this.routes.clear();
    this.routes.set(id, route);
    return route;
  }

  private decoderFor(format: TelemetryFormat): TelemetryDecoder {
    return new TelemetryDecoder(this.kinds, format, this.counts, this.limits);
  }

  /** Null where the text of the schema is none. */
  private formatOf({ format, text }: ResolvedSchema): TelemetryFormat | null {
    const problems = this.counts.pending;
    switch (format) {
      case 'json':
        return new JsonFormat(this.kinds, problems, this.limits.maxBytes);
      case 'protobuf':
        return new ProtobufFormat(this.plans, problems);
      case 'flatbuffers':
        return new FlatBuffersFormat(this.plans, problems);
      case 'avro':
        try {
          return new AvroFormat(this.plans, problems, parseAvroSchema(text));
        } catch {
          return null;
        }
    }
  }
}
