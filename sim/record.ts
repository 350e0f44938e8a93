/** What a source puts into one of the two input topics: the JSON value of contracts "Telemetry record" or "Lifecycle record". */
export interface SourceRecord {
  readonly topic: 'telemetry' | 'lifecycle';
  /** The serial: it decides the partition. */
  readonly key: string;
  readonly value: TelemetryValue | LifecycleValue;
}

export interface TelemetryRecord extends SourceRecord {
  readonly topic: 'telemetry';
  readonly value: TelemetryValue;
}

export interface LifecycleRecord extends SourceRecord {
  readonly topic: 'lifecycle';
  readonly value: LifecycleValue;
}

/** The kinds for which there are recordings and virtual assets. */
export type SourceKind = 'powerwall' | 'inverter' | 'megapack' | 'supercharger';

/** Sparse: an absent field is unchanged, `null` is reported as invalid. */
export type FieldValue = number | string | boolean | null | readonly unknown[];

export interface TelemetryValue {
  readonly serial: string;
  readonly kind: SourceKind;
  /** RFC 3339 with offset. */
  readonly deviceTime: string;
  /** RFC 3339; absent = the log's timestamp stands in. */
  readonly receiveTime?: string;
  readonly txid?: string;
  readonly resend?: boolean;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

export interface LifecycleValue {
  readonly id: string;
  readonly serial: string;
  readonly kind: SourceKind;
  readonly type: string;
  readonly eventTime: string;
  readonly recordTime: string;
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export function telemetry(value: TelemetryValue): TelemetryRecord {
  return { topic: 'telemetry', key: value.serial, value };
}

export function lifecycle(value: LifecycleValue): LifecycleRecord {
  return { topic: 'lifecycle', key: value.serial, value };
}

export function isTelemetry(record: SourceRecord): record is TelemetryRecord {
  return record.topic === 'telemetry';
}
