/**
 * Why a record was refused: stable codes, used in dead letters, answers of the doors and metrics. A decoder returns the
 * index; 0 means accepted. New codes are added at the end, so that an index once written keeps its meaning.
 */
export const REASONS = [
  { code: 'ok', doc: 'The record is accepted.' },
  { code: 'empty', doc: 'There are no bytes, or nothing but white space.' },
  { code: 'too_large', doc: 'The record is larger than the limit (64 KiB by default).' },
  { code: 'invalid_utf8', doc: 'The bytes are not valid UTF-8.' },
  { code: 'malformed_json', doc: 'The text is not one JSON value as RFC 8259 defines it.' },
  { code: 'not_an_object', doc: 'The JSON value is not an object.' },
  { code: 'too_deep', doc: 'Objects and arrays are nested more than 64 levels deep.' },
  { code: 'missing_serial', doc: 'There is no serial.' },
  {
    code: 'bad_serial',
    doc: 'The serial is not a string of 1 to 64 characters (128 bytes) without control characters.',
  },
  { code: 'missing_kind', doc: 'There is no kind.' },
  { code: 'unknown_kind', doc: 'The kind is not one this runtime knows.' },
  { code: 'missing_device_time', doc: 'There is no deviceTime.' },
  {
    code: 'bad_device_time',
    doc: 'deviceTime is neither RFC 3339 with an offset nor whole epoch milliseconds, or not in 2000..2100.',
  },
  { code: 'future_device_time', doc: 'deviceTime is more than 5 minutes after receiveTime.' },
  {
    code: 'bad_receive_time',
    doc: 'receiveTime is neither RFC 3339 with an offset nor whole epoch milliseconds, or not in 2000..2100.',
  },
  { code: 'missing_fields', doc: 'There is no fields object.' },
  { code: 'bad_fields', doc: 'fields is not an object.' },
  { code: 'bad_txid', doc: 'txid is neither a string of at most 256 characters nor a number.' },
  { code: 'key_mismatch', doc: "The record's key in the log is not its serial." },
  { code: 'kind_mismatch', doc: 'The asset is already known as another kind.' },
  { code: 'beyond_horizon', doc: 'The reading is older than the horizon within which late readings are re-folded.' },
  { code: 'fold_failed', doc: 'The fold threw on this record; the asset is quarantined.' },
  { code: 'quarantined', doc: 'The asset is quarantined since an earlier record failed.' },
  { code: 'unknown_asset', doc: 'The record refers to an asset that is not known.' },
  { code: 'bad_id', doc: 'A lifecycle record has no id of 1 to 128 characters without control characters.' },
  { code: 'missing_type', doc: 'A lifecycle record has no type.' },
  { code: 'unknown_lifecycle_type', doc: 'The type of the lifecycle record is not a known one.' },
  { code: 'missing_event_time', doc: 'A lifecycle record has no eventTime.' },
  {
    code: 'bad_event_time',
    doc: 'eventTime is neither RFC 3339 with an offset nor whole epoch milliseconds, or not in 1990..2100.',
  },
  { code: 'future_event_time', doc: "eventTime is more than 5 minutes after the log's timestamp." },
  {
    code: 'bad_record_time',
    doc: 'recordTime is neither RFC 3339 with an offset nor whole epoch milliseconds, or not in 1990..2100.',
  },
  { code: 'bad_source', doc: 'source is not a string of at most 128 characters.' },
  { code: 'bad_lifecycle_data', doc: 'data is not an object, or lacks or misstates what the type requires.' },
  { code: 'unknown_record', doc: 'The line is neither a telemetry nor a lifecycle record.' },
  { code: 'wrong_topic', doc: 'A lifecycle record was sent to the door of telemetry, or the reverse.' },
  { code: 'lifecycle_full', doc: 'The asset has 4,096 lifecycle records; it takes no more.' },
  { code: 'unknown_schema', doc: 'The registry does not know the schema that the value names.' },
  {
    code: 'undecodable',
    doc: 'The bytes are not what the schema says (Avro, Protobuf, FlatBuffers), or the header names no message of it.',
  },
] as const;

export type ReasonCode = (typeof REASONS)[number]['code'];

/** Index by code: what decoders return. */
export const Reason = Object.fromEntries(REASONS.map((reason, index) => [reason.code, index])) as Readonly<
  Record<ReasonCode, number>
>;
