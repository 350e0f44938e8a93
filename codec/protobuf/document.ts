import type { JsonObject } from '../document.ts';
import { INVALID, OTHER } from '../schema/declaration.ts';
import { FIRST_KIND } from '../schema/numbers.ts';
import { orReason, WireDocument, WRONG } from '../wire-document.ts';
import type { WriterNames } from '../writer-names.ts';
import type { WirePlan } from '../wire-plan.ts';
import { FIXED32, FIXED64, LEN, ProtoCursor, VARINT } from './cursor.ts';
import { readAlerts, readEntry, readSamples, readTexts } from './values.ts';

/** A telemetry message as the document that JSON would be, or the index of the reason why it is none. */
export function protobufDocument(
  bytes: Uint8Array,
  start: number,
  end: number,
  plans: ReadonlyMap<number, WirePlan>,
  names: WriterNames,
): JsonObject | number {
  return orReason(() => {
    const document = new WireDocument(names);
    readTelemetry(new ProtoCursor(bytes, start, end), plans, document);
    return document.finish();
  });
}

function readTelemetry(message: ProtoCursor, plans: ReadonlyMap<number, WirePlan>, document: WireDocument): void {
  const { doc } = document;
  while (message.next()) {
    const { number, wire } = message;
    if (number >= FIRST_KIND && wire === LEN) {
      const plan = plans.get(number) ?? null;
      document.startKind(number, plan);
      readFields(message.message(), plan, document);
    } else if (number === 1) doc.serial = textOrWrong(message);
    else if (number === 2) doc.deviceTime = integerOrWrong(message);
    else if (number === 3) doc.receiveTime = integerOrWrong(message);
    else if (number === 4) doc.txid = textOrWrong(message);
    else if (number === 5) doc.resend = boolOrWrong(message);
    else if (number === 6) doc.seqNo = integerOrWrong(message);
    else {
      doc[`#${number}`] = true;
      message.skip();
    }
  }
}

function readFields(message: ProtoCursor, plan: WirePlan | null, document: WireDocument): void {
  while (message.next()) {
    const { number, wire } = message;
    const field = plan?.fieldOf[number] ?? -1;
    if (number === INVALID && (wire === LEN || wire === VARINT)) {
      for (const invalid of message.numbers()) document.putInvalid(plan, invalid);
    } else if (number === OTHER && wire === LEN) {
      readEntry(message.message(), (name, text) => document.putOther(name, text));
    } else if (plan !== null && field >= 0) readField(message, plan, field, document);
    else document.put(document.unknownName(number), unknownValue(message, document));
  }
}

function readField(message: ProtoCursor, plan: WirePlan, field: number, document: WireDocument): void {
  const { name, type } = plan.kind.specs[field];
  if (type === 'enum' && message.wire === VARINT) document.putWord(plan, field, message.varint());
  else if (type === 'number') document.put(name, numberOrWrong(message));
  else if (type === 'bool') document.put(name, boolOrWrong(message));
  else if (type === 'text') document.put(name, textOrWrong(message));
  else if (message.wire !== LEN) document.put(name, wrong(message));
  else if (type === 'list') document.put(name, readTexts(message.message()));
  else if (type === 'alerts') document.put(name, readAlerts(message.message()));
  else if (type === 'meterValues') document.put(name, readSamples(message.message()));
  else document.put(name, wrong(message));
}

function wrong(message: ProtoCursor): object {
  message.skip();
  return WRONG;
}

/** A float is taken for a number too; an integer is not, for nobody knows how it is to be read. */
function numberOrWrong(message: ProtoCursor): unknown {
  if (message.wire === FIXED64) return message.double();
  return message.wire === FIXED32 ? message.float() : wrong(message);
}

const integerOrWrong = (message: ProtoCursor) => (message.wire === VARINT ? message.varint() : wrong(message));
const boolOrWrong = (message: ProtoCursor) => (message.wire === VARINT ? message.varint() !== 0 : wrong(message));
const textOrWrong = (message: ProtoCursor) => (message.wire === LEN ? message.text() : wrong(message));

/** The value of a field that the kind does not have, by its wire type, and as the writer's schema explains it. */
function unknownValue(message: ProtoCursor, document: WireDocument): unknown {
  switch (message.wire) {
    case VARINT: {
      const value = message.varint();
      const type = document.unknownType(message.number);
      if (type === 'bool') return value !== 0;
      return (type === 'enum' ? document.unknownWord(message.number, value) : undefined) ?? value;
    }
    case FIXED64:
    case FIXED32:
      return numberOrWrong(message);
    case LEN:
      return message.textOrBytes();
    default:
      return wrong(message);
  }
}
