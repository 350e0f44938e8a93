import { Builder, type Offset } from 'flatbuffers';
import { type Alert, severityNumber } from '../alerts.ts';
import type { JsonObject } from '../document.ts';
import { encodeFields, encodeHead, type TelemetryDocument, type TypedField } from '../encode-parts.ts';
import { SAMPLE_TEXTS } from '../samples.ts';
import { FIRST_FIELD_ID } from '../schema/fbs.ts';
import { FIRST_KIND } from '../schema/numbers.ts';
import type { WirePlan } from '../wire-plan.ts';
import * as Id from './document.ts';
import { BOOL, type Cell, DOUBLE, LONG, OFFSET, UBYTE, writeOffsets, writeTable, writeTexts } from './writer.ts';

/** The record as a buffer of `telemetry.fbs`. `plan` is that of its kind. */
export function encodeFlatBuffers(record: TelemetryDocument, plan: WirePlan): Uint8Array {
  const out = new Builder(512);
  const { serial, deviceTime, receiveTime, txid, resend, seqNo } = encodeHead(record);
  const fields = writeFields(out, plan, record.fields);
  const cells: (Cell | null)[] = [
    { id: Id.SERIAL_ID, type: OFFSET, value: out.createString(serial) },
    deviceTime === null ? null : { id: Id.DEVICE_TIME_ID, type: LONG, value: deviceTime },
    receiveTime === null ? null : { id: Id.RECEIVE_TIME_ID, type: LONG, value: receiveTime },
    txid === null ? null : { id: Id.TXID_ID, type: OFFSET, value: out.createString(txid) },
    resend === null ? null : { id: Id.RESEND_ID, type: BOOL, value: resend ? 1 : 0 },
    seqNo === null ? null : { id: Id.SEQ_NO_ID, type: LONG, value: seqNo },
    { id: Id.KIND_ID, type: UBYTE, value: plan.number - FIRST_KIND + 1 },
    { id: Id.FIELDS_ID, type: OFFSET, value: fields },
  ];
  out.finish(writeTable(out, Id.FIELDS_ID + 1, cells));
  return out.asUint8Array();
}

function writeFields(out: Builder, plan: WirePlan, fields: TelemetryDocument['fields']): Offset {
  const { typed, invalid, other } = encodeFields(plan, fields);
  const cells = typed.map((one) => cellOf(out, plan, one));
  if (invalid.length > 0) cells.push({ id: Id.INVALID_ID, type: OFFSET, value: writeShorts(out, invalid) });
  if (other.length > 0) {
    const tables = other.map(([name, text]) => writeTexts(out, [name, text]));
    cells.push({ id: Id.OTHER_ID, type: OFFSET, value: writeOffsets(out, tables) });
  }
  return writeTable(out, Math.max(...plan.numberOf) + FIRST_FIELD_ID + 1, cells);
}

function cellOf(out: Builder, plan: WirePlan, { field, value }: TypedField): Cell {
  const id = plan.numberOf[field] + FIRST_FIELD_ID;
  switch (plan.kind.specs[field].type) {
    case 'number':
      return { id, type: DOUBLE, value: value as number };
    case 'enum':
      return { id, type: UBYTE, value: (plan.wordNumberOf[field] as Uint16Array)[value as number] };
    case 'bool':
      return { id, type: BOOL, value: value === true ? 1 : 0 };
    case 'text':
      return { id, type: OFFSET, value: out.createString(value as string) };
    case 'list': {
      const texts = (value as string[]).map((text) => out.createString(text));
      return { id, type: OFFSET, value: writeOffsets(out, texts) };
    }
    case 'alerts': {
      const tables = (value as Alert[]).map((alert) => writeAlert(out, alert));
      return { id, type: OFFSET, value: writeOffsets(out, tables) };
    }
    case 'meterValues': {
      const tables = (value as JsonObject[]).map((sample) =>
        writeTexts(
          out,
          SAMPLE_TEXTS.map((name) => (sample[name] as string | undefined) ?? null),
        ),
      );
      return { id, type: OFFSET, value: writeOffsets(out, tables) };
    }
  }
}

function writeShorts(out: Builder, values: readonly number[]): Offset {
  out.startVector(2, values.length, 2);
  for (const value of [...values].reverse()) out.addInt16(value);
  return out.endVector();
}

function writeAlert(out: Builder, { name, severity, startedAt, endedAt }: Alert): Offset {
  return writeTable(out, 4, [
    { id: 0, type: OFFSET, value: out.createString(name) },
    severity === null ? null : { id: 1, type: UBYTE, value: severityNumber(severity) },
    startedAt === null ? null : { id: 2, type: LONG, value: startedAt },
    endedAt === null ? null : { id: 3, type: LONG, value: endedAt },
  ]);
}
