import { type Alert, severityNumber } from '../alerts.ts';
import type { JsonObject } from '../document.ts';
import { encodeFields, encodeHead, type TelemetryDocument, type TypedField } from '../encode-parts.ts';
import { SAMPLE_TEXTS } from '../samples.ts';
import { INVALID, OTHER } from '../schema/declaration.ts';
import type { WirePlan } from '../wire-plan.ts';
import { ProtoWriter } from './writer.ts';

/** The record as a message of `telemetry.proto`. `plan` is that of its kind. */
export function encodeProtobuf(record: TelemetryDocument, plan: WirePlan): Uint8Array {
  const { serial, deviceTime, receiveTime, txid, resend, seqNo } = encodeHead(record);
  const out = new ProtoWriter().text(1, serial);
  if (deviceTime !== null) out.integer(2, deviceTime);
  if (receiveTime !== null) out.integer(3, receiveTime);
  if (txid !== null) out.text(4, txid);
  if (resend !== null) out.integer(5, resend ? 1 : 0);
  if (seqNo !== null) out.integer(6, seqNo);
  const { typed, invalid, other } = encodeFields(plan, record.fields);
  return out
    .message(plan.number, (message) => {
      for (const one of typed) writeField(message, plan, one);
      if (invalid.length > 0) message.packed(INVALID, invalid);
      for (const [name, text] of other) message.entry(OTHER, name, text);
    })
    .bytes();
}

function writeField(message: ProtoWriter, plan: WirePlan, { field, value }: TypedField): void {
  const number = plan.numberOf[field];
  switch (plan.kind.specs[field].type) {
    case 'number':
      message.double(number, value as number);
      break;
    case 'enum':
      message.integer(number, (plan.wordNumberOf[field] as Uint16Array)[value as number]);
      break;
    case 'bool':
      message.integer(number, value === true ? 1 : 0);
      break;
    case 'text':
      message.text(number, value as string);
      break;
    case 'list':
      message.message(number, (texts) => {
        for (const item of value as string[]) texts.text(1, item);
      });
      break;
    case 'alerts':
      message.message(number, (alerts) => {
        for (const alert of value as Alert[]) alerts.message(1, (one) => writeAlert(one, alert));
      });
      break;
    case 'meterValues':
      message.message(number, (samples) => {
        for (const sample of value as JsonObject[]) samples.message(1, (one) => writeSample(one, sample));
      });
      break;
  }
}

function writeAlert(message: ProtoWriter, { name, severity, startedAt, endedAt }: Alert): void {
  message.text(1, name);
  if (severity !== null) message.integer(2, severityNumber(severity));
  if (startedAt !== null) message.integer(3, startedAt);
  if (endedAt !== null) message.integer(4, endedAt);
}

function writeSample(message: ProtoWriter, sample: JsonObject): void {
  SAMPLE_TEXTS.forEach((name, i) => {
    if (sample[name] !== undefined) message.text(i + 1, sample[name] as string);
  });
}
