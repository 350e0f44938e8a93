import { type Alert, severityNumber } from '../alerts.ts';
import type { JsonObject } from '../document.ts';
import { encodeFields, encodeHead, type TelemetryDocument, type TypedField } from '../encode-parts.ts';
import { SAMPLE_TEXTS } from '../samples.ts';
import { ZERO_TIME } from '../time.ts';
import type { WirePlan } from '../wire-plan.ts';
import { AvroWriter } from './writer.ts';

/** The record as `telemetry.avsc` describes it. `plan` is that of its kind, one of `plans`. */
export function encodeAvro(record: TelemetryDocument, plan: WirePlan, plans: readonly WirePlan[]): Uint8Array {
  const out = new AvroWriter();
  const { serial, deviceTime, receiveTime, txid, resend, seqNo } = encodeHead(record);
  const text = (value: string) => out.text(value);
  const long = (value: number) => out.long(value);
  out.text(serial).long(deviceTime ?? ZERO_TIME);
  out
    .optional(receiveTime, long)
    .optional(txid, text)
    .boolean(resend === true)
    .optional(seqNo, long);
  out.long(plans.filter(({ number }) => number < plan.number).length);
  const { typed, invalid, other } = encodeFields(plan, record.fields);
  const byNumber = new Map(typed.map((one) => [plan.numberOf[one.field], one]));
  for (const number of [...plan.numberOf].sort((a, b) => a - b))
    out.optional(byNumber.get(number), (one) => writeValue(out, plan, one));
  out.list(invalid, long).list(other, ([name, value]) => out.text(name).text(value));
  return out.bytes();
}

function writeValue(out: AvroWriter, plan: WirePlan, { field, value }: TypedField): void {
  switch (plan.kind.specs[field].type) {
    case 'number':
      out.double(value as number);
      break;
    case 'enum':
      out.long((plan.wordNumberOf[field] as Uint16Array)[value as number]);
      break;
    case 'bool':
      out.boolean(value === true);
      break;
    case 'text':
      out.text(value as string);
      break;
    case 'list':
      out.list(value as string[], (item) => out.text(item));
      break;
    case 'alerts':
      out.list(value as Alert[], (alert) => writeAlert(out, alert));
      break;
    case 'meterValues':
      out.list(value as JsonObject[], (sample) => writeSample(out, sample));
      break;
  }
}

function writeAlert(out: AvroWriter, { name, severity, startedAt, endedAt }: Alert): void {
  out
    .text(name)
    .optional(severity, (word) => out.long(severityNumber(word)))
    .optional(startedAt, (ms) => out.long(ms))
    .optional(endedAt, (ms) => out.long(ms));
}

function writeSample(out: AvroWriter, sample: JsonObject): void {
  for (const name of SAMPLE_TEXTS) out.optional(sample[name] as string | undefined, (text) => out.text(text));
  out.optional(null, () => {});
}
