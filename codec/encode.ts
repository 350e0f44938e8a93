import { encodeAvro } from './avro/encode.ts';
import type { TelemetryDocument } from './encode-parts.ts';
import { GridfoldError } from '../runtime/kernel/errors.ts';
import { encodeFlatBuffers } from './flatbuffers/encode.ts';
import type { DecodedKind } from './plan.ts';
import { encodeProtobuf } from './protobuf/encode.ts';
import type { Format } from './wire.ts';
import { type WirePlan, wirePlans } from './wire-plan.ts';

/** Writes telemetry records in every format, without headers. Made for doors, simulation and tests, not for speed. */
export class TelemetryEncoder {
  private readonly plans: readonly WirePlan[];
  private readonly byKind: ReadonlyMap<string, WirePlan>;

  constructor(kinds: readonly DecodedKind[]) {
    this.plans = wirePlans(kinds);
    this.byKind = new Map(this.plans.map((plan) => [plan.kind.name, plan]));
  }

  /**
   * The record as bytes that mean exactly what its JSON means. Throws `codec_unknown_kind` where a binary format is asked
   * for and the record is of no known kind.
   */
  encode(record: TelemetryDocument, format: Format): Uint8Array {
    if (format === 'json') return Buffer.from(JSON.stringify(record));
    const plan = this.byKind.get(record.kind);
    if (plan === undefined)
      throw new GridfoldError('codec_unknown_kind', 'stop', `There is no kind ${record.kind}. Use a known one.`);
    switch (format) {
      case 'protobuf':
        return encodeProtobuf(record, plan);
      case 'avro':
        return encodeAvro(record, plan, this.plans);
      case 'flatbuffers':
        return encodeFlatBuffers(record, plan);
    }
  }
}
