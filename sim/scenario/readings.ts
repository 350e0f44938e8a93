import type { Kind } from '../../runtime/shard/contract.ts';
import { type Arrival, Misreading, type ScenarioAsset } from './script.ts';
import { parseDuration, parseTime, type Start } from './time.ts';
import { fieldValue, guess, lifecycleValue, type Value } from './values.ts';
import { fieldNamed, lifecyclePart, lifecycleTypeNamed } from './vocabulary.ts';

/** What stands between the time of a line and its fields. */
export interface Manner {
  serial: string | null;
  lateMs: number;
  stamped: number | null;
  /** When somebody wrote a lifecycle record; null: when it arrives. */
  recorded: number | null;
  resend: boolean;
  txid: string | null;
  seqNo: number | null;
}

const MANNERS = 'late DURATION, stamped TIME, recorded TIME, resend, txid ID, seq N';

/** Takes the words before the first `field=value`. */
export function takeManner(rest: string[], assets: readonly ScenarioAsset[], start: Start): Manner {
  const manner: Manner = {
    serial: null,
    lateMs: 0,
    stamped: null,
    recorded: null,
    resend: false,
    txid: null,
    seqNo: null,
  };
  while (rest.length > 0 && !/^\??[\w.-]+=/.test(rest[0])) {
    const raw = rest.shift() as string;
    const ends = raw.endsWith(':');
    const word = ends ? raw.slice(0, -1) : raw;
    const value = () => {
      const next = rest.shift();
      if (next === undefined) throw new Misreading(`${word} needs a value`);
      return next.replace(/:$/, '');
    };
    if (word === 'late') manner.lateMs = parseDuration(value());
    else if (word === 'stamped') manner.stamped = parseTime(value(), start);
    else if (word === 'recorded') manner.recorded = parseTime(value(), start);
    else if (word === 'resend') manner.resend = true;
    else if (word === 'txid') manner.txid = value();
    else if (word === 'seq') manner.seqNo = Number(value());
    else if (assets.some((a) => a.serial === word)) manner.serial = word;
    else if (word !== '') {
      throw new Misreading(`"${word}" is neither an asset of this scenario nor one of ${MANNERS}, nor field=value`);
    }
  }
  return manner;
}

/** The fields of a reading, each as a function of where in an `every` line the reading stands. */
export function parseFields(kind: Kind, rest: readonly string[], start: Start): Map<string, Value> {
  if (rest.length === 0) throw new Misreading('a reading needs at least one field: write field=value');
  const fields = new Map<string, Value>();
  for (const text of rest) {
    const split = text.indexOf('=');
    if (split < 1) throw new Misreading(`"${text}" is no field: write field=value`);
    const name = text.slice(0, split);
    const value = text.slice(split + 1);
    if (name.startsWith('?')) {
      fields.set(name.slice(1), () => guess(value));
    } else fields.set(name, fieldValue(fieldNamed(kind, name), value, start));
  }
  return fields;
}

export function readingArrival(
  asset: ScenarioAsset,
  time: number,
  share: number,
  fields: ReadonlyMap<string, Value>,
  manner: Manner,
  line: number,
): Arrival {
  if (manner.recorded !== null) throw new Misreading('recorded TIME is of lifecycle records');
  const at = manner.stamped ?? time;
  const record: Record<string, unknown> = {
    serial: asset.serial,
    kind: asset.kind,
    deviceTime: new Date(at).toISOString(),
    fields: Object.fromEntries([...fields].map(([name, value]) => [name, value(share)])),
  };
  if (manner.txid !== null) record.txid = manner.txid;
  if (manner.seqNo !== null) record.seqNo = manner.seqNo;
  if (manner.resend) record.resend = true;
  return { line, topic: 'telemetry', serial: asset.serial, at, arrives: time + manner.lateMs, record };
}

/** `TYPE [late DURATION] part=value...`; `id=` names the record, so that others can correct it. */
export function lifecycleArrival(
  asset: ScenarioAsset,
  time: number,
  type: string,
  rest: readonly string[],
  manner: Manner,
  line: number,
): Arrival {
  lifecycleTypeNamed(type);
  if (manner.stamped !== null || manner.resend || manner.txid !== null || manner.seqNo !== null) {
    throw new Misreading(
      'of stamped, resend, txid and seq a lifecycle record takes none: late DURATION, recorded TIME',
    );
  }
  const data: Record<string, unknown> = {};
  let id = `line-${line}`;
  for (const text of rest) {
    const split = text.indexOf('=');
    if (split < 1) throw new Misreading(`"${text}" is no part of a record: write part=value`);
    const name = text.slice(0, split);
    const value = text.slice(split + 1);
    if (name === 'id') id = value;
    else if (name.startsWith('?')) data[name.slice(1)] = guess(value);
    else data[name] = lifecycleValue(name, lifecyclePart(type, name), value);
  }
  const arrives = time + manner.lateMs;
  const record = {
    id,
    serial: asset.serial,
    kind: asset.kind,
    type,
    eventTime: new Date(time).toISOString(),
    recordTime: new Date(manner.recorded ?? arrives).toISOString(),
    source: 'scenario',
    data,
  };
  return { line, topic: 'lifecycle', serial: asset.serial, at: time, arrives, record };
}
