import { parseAvroSchema } from '../avro/schema.ts';
import { AvroFormat } from '../avro/telemetry.ts';
import { FlatBuffersFormat } from '../flatbuffers/telemetry.ts';
import type { TelemetryFormat } from '../format.ts';
import { JsonFormat } from '../json-format.ts';
import { type DecodedKind, KindPlan } from '../plan.ts';
import { ProblemCounts } from '../problems.ts';
import { ProtobufFormat } from '../protobuf/telemetry.ts';
import { declare } from '../schema/declaration.ts';
import { printSchema } from '../schema/files.ts';
import { NUMBERS } from '../schema/numbers.ts';
import { TelemetryDecoder } from '../telemetry.ts';
import type { Format } from '../wire.ts';
import { wirePlans } from '../wire-plan.ts';

export const FORMATS: readonly Format[] = ['json', 'protobuf', 'avro', 'flatbuffers'];

/** A decoder of one format without headers. `schema`: the writer's, for Avro. */
export function decoderOf(
  format: Format,
  kinds: readonly DecodedKind[],
  schema = printSchema('telemetry', 'avro', declare(kinds, NUMBERS)),
): TelemetryDecoder {
  const plans = kinds.map((kind) => new KindPlan(kind));
  const wire = wirePlans(kinds, plans);
  const counts = new ProblemCounts();
  const made: Record<Format, () => TelemetryFormat> = {
    json: () => new JsonFormat(plans, counts.pending),
    protobuf: () => new ProtobufFormat(wire, counts.pending),
    avro: () => new AvroFormat(wire, counts.pending, parseAvroSchema(schema)),
    flatbuffers: () => new FlatBuffersFormat(wire, counts.pending),
  };
  return new TelemetryDecoder(plans, made[format](), counts);
}
