/** Bounds of what a record may carry. Everything beyond them is refused or dropped and counted, never kept. */
export const MAX_RECORD_BYTES = 64 * 1024;
export const MAX_DEPTH = 64;
export const MAX_SERIAL_CHARS = 64;
export const MAX_SERIAL_BYTES = 128;
export const MAX_TXID_CHARS = 256;
export const MAX_TEXT_CHARS = 256;
export const MAX_LIST_ITEMS = 64;
export const MAX_LIST_ITEM_CHARS = 128;
export const MAX_ALERTS = 256;
export const MAX_METER_VALUES = 128;
/** Unknown fields that are kept per record, the first by name. */
export const MAX_UNKNOWN_FIELDS = 32;
export const MAX_UNKNOWN_NAME_CHARS = 128;
export const MAX_UNKNOWN_TEXT_CHARS = 1024;
/** A device's clock, and a receiver's, may be ahead by so much, milliseconds. */
export const FUTURE_TOLERANCE_MS = 5 * 60 * 1000;
