import type { FieldSpec } from '../runtime/shard/reading.ts';
import { SEVERITIES } from './alerts.ts';
import * as L from './limits.ts';
import { type DataPart, LIFECYCLE_TYPES } from './lifecycle-data.ts';
import type { DecodedKind } from './plan.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

const INSTANT: JsonSchema = {
  description: 'RFC 3339 with an offset, or epoch milliseconds.',
  anyOf: [
    { type: 'string', format: 'date-time' },
    { type: 'integer', minimum: 0 },
  ],
};

const SERIAL: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: L.MAX_SERIAL_CHARS,
  description: `At most ${L.MAX_SERIAL_BYTES} bytes of UTF-8, no control characters.`,
};

const label = (description: string): JsonSchema => ({ type: 'string', minLength: 1, maxLength: 128, description });

const ALERT: JsonSchema = {
  anyOf: [
    { type: 'string', minLength: 1, maxLength: L.MAX_LIST_ITEM_CHARS },
    {
      type: 'object',
      required: ['name'],
      properties: {
        name: { type: 'string', minLength: 1, maxLength: L.MAX_LIST_ITEM_CHARS },
        severity: { enum: [...SEVERITIES, null] },
        startedAt: { description: 'RFC 3339, or epoch seconds.', type: ['string', 'number', 'null'] },
        endedAt: { description: 'As startedAt; an alert without it is active.', type: ['string', 'number', 'null'] },
      },
    },
  ],
};

const SAMPLED_VALUE: JsonSchema = {
  type: 'object',
  description: 'SampledValue of OCPP.',
  required: ['value'],
  properties: {
    value: { type: ['string', 'number', 'null'] },
    measurand: { type: 'string', description: 'Energy.Active.Import.Register where it is absent.' },
    context: { type: 'string', description: 'Sample.Periodic where it is absent.' },
    unit: { type: 'string', description: 'Wh, W, V, Percent or Celsius where it is absent.' },
    phase: { type: 'string' },
    location: { type: 'string' },
  },
};

/** What a good producer sends in a field. `null` reports the value as invalid. */
export function fieldSchema(spec: FieldSpec): JsonSchema {
  const { doc, unit } = spec;
  const description = unit ? `${doc} Unit: ${unit}.` : doc;
  switch (spec.type) {
    case 'number': {
      const minimum = spec.min === undefined ? {} : { minimum: spec.min };
      const maximum = spec.max === undefined ? {} : { maximum: spec.max };
      const type = spec.numericText === true ? ['number', 'string', 'null'] : ['number', 'null'];
      return { type, description, ...minimum, ...maximum };
    }
    case 'enum':
      return { enum: [...(spec.words ?? []), ...(spec.codes ?? []), null], description };
    case 'bool':
      return { type: ['boolean', 'null'], description };
    case 'text':
      return { type: ['string', 'null'], maxLength: L.MAX_TEXT_CHARS, description };
    case 'list':
      return {
        type: ['array', 'null'],
        maxItems: L.MAX_LIST_ITEMS,
        items: { type: 'string', maxLength: L.MAX_LIST_ITEM_CHARS },
        description,
      };
    case 'alerts':
      return { type: ['array', 'null'], maxItems: L.MAX_ALERTS, items: ALERT, description };
    case 'meterValues':
      return { type: ['array', 'null'], maxItems: L.MAX_METER_VALUES, items: SAMPLED_VALUE, description };
  }
}

/**
 * JSON Schema of a telemetry record, made from the field lists. It describes what a good producer sends; the decoder is more
 * lenient inside `fields`: what does not fit is accepted, marked invalid and counted.
 */
export function telemetrySchema(kinds: readonly DecodedKind[]): JsonSchema {
  return {
    title: 'TelemetryRecord',
    description:
      'A device reading. Sparse: a field that is absent is unchanged, null is reported as invalid, unknown fields are kept.',
    type: 'object',
    required: ['serial', 'kind', 'deviceTime', 'fields'],
    properties: {
      serial: SERIAL,
      kind: { enum: kinds.map((kind) => kind.name) },
      deviceTime: INSTANT,
      receiveTime: { ...INSTANT, description: `${INSTANT.description} Defaults to when the log accepted the record.` },
      txid: {
        type: ['string', 'number'],
        maxLength: L.MAX_TXID_CHARS,
        description: 'Tells duplicates from new readings.',
      },
      resend: { type: 'boolean', description: 'The device sends it again.' },
      seqNo: { type: 'integer', minimum: 0, description: "The device's own order of readings with the same time." },
      fields: { type: 'object' },
    },
    oneOf: kinds.map((kind) => ({
      title: kind.name,
      properties: {
        kind: { const: kind.name },
        fields: {
          type: 'object',
          properties: Object.fromEntries(kind.fields.map((spec) => [spec.name, fieldSchema(spec)])),
        },
      },
    })),
  };
}

const PART_SCHEMAS: Record<DataPart['shape'], (description: string) => JsonSchema> = {
  label,
  text: (description) => ({ type: 'string', maxLength: 1024, description }),
  amount: (description) => ({ type: 'number', minimum: 0, description }),
  cadence: (description) => ({ type: 'number', minimum: 1, maximum: 86400, description }),
  zone: (description) => ({ type: 'string', maxLength: 64, description }),
  flag: (description) => ({ type: 'boolean', description }),
  list: (description) => ({ type: 'array', maxItems: 256, description }),
  serial: (description) => ({ ...SERIAL, description: `${description} ${SERIAL.description}` }),
  type: (description) => ({
    enum: [...LIFECYCLE_TYPES.keys()].filter((t) => t !== 'corrected' && t !== 'voided'),
    description,
  }),
};

function dataSchema(parts: Readonly<Record<string, DataPart>>): JsonSchema {
  const entries = Object.entries(parts);
  return {
    type: 'object',
    required: entries.filter(([, part]) => part.required).map(([name]) => name),
    properties: Object.fromEntries(entries.map(([name, part]) => [name, PART_SCHEMAS[part.shape](part.doc)])),
  };
}

/** JSON Schema of a lifecycle record. */
export function lifecycleSchema(kinds: readonly { readonly name: string }[]): JsonSchema {
  return {
    title: 'LifecycleRecord',
    description:
      'What people and business systems say about an asset. Folded in order of eventTime, recordTime, id; a second record of the same id is a duplicate.',
    type: 'object',
    required: ['id', 'serial', 'kind', 'type', 'eventTime'],
    properties: {
      id: label('Unique among the records of the asset.'),
      serial: SERIAL,
      kind: { enum: kinds.map((kind) => kind.name) },
      type: { enum: [...LIFECYCLE_TYPES.keys()] },
      eventTime: { ...INSTANT, description: `When it happened. ${INSTANT.description}` },
      recordTime: {
        ...INSTANT,
        description: `When it was written down. ${INSTANT.description} Defaults to when the log accepted it.`,
      },
      source: { type: 'string', maxLength: 128, description: 'System or person that says so.' },
      data: { type: 'object' },
    },
    oneOf: [...LIFECYCLE_TYPES].map(([type, { doc, data }]) => {
      const needsData = Object.values(data).some((part) => part.required);
      return {
        title: type,
        description: doc,
        ...(needsData ? { required: ['data'] } : {}),
        properties: { type: { const: type }, data: dataSchema(data) },
      };
    }),
  };
}
