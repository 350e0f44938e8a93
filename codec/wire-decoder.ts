import type { JudgedSchemas, ReadingDecoder } from '../runtime/shard/contract.ts';
import type { Reading } from '../runtime/shard/reading.ts';
import { schemaOrNull } from './avro/schema.ts';
import { AvroFormat } from './avro/telemetry.ts';
import { builtInTable } from './built-in.ts';
import { flatNames } from './flatbuffers/names.ts';
import { FlatBuffersFormat } from './flatbuffers/telemetry.ts';
import type { TelemetryFormat } from './format.ts';
import { JsonFormat } from './json-format.ts';
import { type DecodedKind, KindPlan } from './plan.ts';
import { ProblemCounts } from './problems.ts';
import { protobufNames } from './protobuf/names.ts';
import { ProtobufFormat } from './protobuf/telemetry.ts';
import { REASONS } from './reasons.ts';
import { Routes } from './routes.ts';
import { TelemetryDecoder, type TelemetryLimits } from './telemetry.ts';
import type { ResolvedSchema, SchemaTable } from './wire.ts';
import { type WirePlan, wirePlans } from './wire-plan.ts';

export interface WireOptions extends TelemetryLimits {
  /** Knows the schemas that values name. Default: those of this version, under their own ids. */
  readonly schemas?: SchemaTable;
  /** Schemas that do not exist for the records at hand, whatever the table says. */
  readonly judged?: JudgedSchemas;
}

/**
 * Decodes telemetry records of every format: JSON as it is, the others behind the header that names their schema. What
 * a record means does not depend on the format that it comes in.
 */
export class WireDecoder implements ReadingDecoder {
  readonly reasons: readonly string[] = REASONS.map(({ code }) => code);
  serialBytes: Uint8Array = new Uint8Array(0);
  serialStart = 0;
  serialEnd = 0;
  private readonly judged: JudgedSchemas | undefined;
  private readonly limits: TelemetryLimits;
  private readonly counts = new ProblemCounts();
  private readonly kinds: readonly KindPlan[];
  private readonly plans: readonly WirePlan[];
  private readonly json: TelemetryDecoder;
  private readonly routes: Routes<TelemetryDecoder>;

  constructor(kinds: readonly DecodedKind[], { schemas = builtInTable, judged, maxBytes }: WireOptions = {}) {
    this.judged = judged;
    this.limits = { maxBytes };
    this.kinds = kinds.map((kind) => new KindPlan(kind));
    this.plans = wirePlans(kinds, this.kinds);
    this.json = this.decoderOf(new JsonFormat(this.kinds, this.counts.pending, maxBytes));
    this.routes = new Routes('telemetry', schemas, (schema) => {
      const format = this.formatOf(schema);
      return format === null ? null : this.decoderOf(format);
    });
  }

  decode(bytes: Uint8Array, start: number, end: number, timestamp: number, reading: Reading): number {
    if (end === start || bytes[start] !== 0) return this.decodeWith(this.json, bytes, start, end, timestamp, reading);
    const decoder = this.routes.of(bytes, start, end, this.judged);
    if (typeof decoder === 'number') return decoder;
    return this.decodeWith(decoder, bytes, this.routes.start, end, timestamp, reading);
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

  private decoderOf(format: TelemetryFormat): TelemetryDecoder {
    return new TelemetryDecoder(this.kinds, format, this.counts, this.limits);
  }

  /** Null where the text of the schema is none. */
  private formatOf({ format, text }: ResolvedSchema): TelemetryFormat | null {
    const { pending } = this.counts;
    switch (format) {
      case 'json':
        return new JsonFormat(this.kinds, pending, this.limits.maxBytes);
      case 'protobuf':
        return new ProtobufFormat(this.plans, pending, protobufNames(text));
      case 'flatbuffers':
        return new FlatBuffersFormat(this.plans, pending, flatNames(text));
      case 'avro': {
        const schema = schemaOrNull(text);
        return schema === null ? null : new AvroFormat(this.plans, pending, schema);
      }
    }
  }
}
