import type { FieldSpec } from '../../../runtime/shard/reading.ts';
import { anyCounter, commonFields, number, words } from '../fields.ts';

/** `ChargePointStatus` of OCPP 1.6, in the order in which region operation names its states. */
export const OCPP16_STATUS = [
  'Available',
  'Preparing',
  'Charging',
  'SuspendedEV',
  'SuspendedEVSE',
  'Finishing',
  'Reserved',
  'Unavailable',
  'Faulted',
] as const;

/** What OCPP 2.0.1 says otherwise: `ConnectorStatusEnumType` and `ChargingStateEnumType`. */
export const OCPP201_STATUS = ['Occupied', 'EVConnected', 'Idle'] as const;

/** `ChargePointErrorCode` of OCPP 1.6. */
export const ERROR_CODES = [
  'NoError',
  'ConnectorLockFailure',
  'EVCommunicationError',
  'GroundFailure',
  'HighTemperature',
  'InternalError',
  'LocalListConflict',
  'OtherError',
  'OverCurrentFailure',
  'OverVoltage',
  'PowerMeterFailure',
  'PowerSwitchFailure',
  'ReaderFailure',
  'ResetFailure',
  'UnderVoltage',
  'WeakSignal',
] as const;

/** `TransactionEventEnumType` of OCPP 2.0.1. */
export const SESSION_EVENTS = ['Started', 'Updated', 'Ended'] as const;

const watts = { min: -1e8, max: 1e8 };
const someWatts = { min: 0, max: 1e8 };

/** Fields that OCPP's meter values fill: there every value is a string. */
const METERED = new Set(['vehicleW', 'offeredW', 'deliveredWh', 'vehicleSoc', 'tempC', 'voltageV']);

const fields: readonly FieldSpec[] = [
  ...commonFields,
  words('status', 'Status of the connector, in words of OCPP 1.6 or 2.0.1', [...OCPP16_STATUS, ...OCPP201_STATUS]),
  words(
    'errorCode',
    'Error of the connector (OCPP 1.6); beside another status than Faulted it is a warning',
    ERROR_CODES,
  ),
  number('vehicleW', 'W', 'Power into the vehicle; powerW is its negative', watts),
  number('offeredW', 'W', 'Power that the stall offers the vehicle', someWatts),
  number('requestedW', 'W', 'Power that the vehicle asks for', someWatts),
  number('deliveredWh', 'Wh', 'Lifetime energy into vehicles: the register of the meter', anyCounter),
  number('vehicleSoc', '', 'State of charge of the vehicle', { min: 0, max: 1 }),
  { name: 'sessionId', type: 'text', doc: 'Transaction that the reading belongs to' },
  words('sessionEvent', 'What happened to the transaction (OCPP 2.0.1)', SESSION_EVENTS),
  number('seqNo', '', "Number of the transaction's message; a hole means that messages are missing", {
    min: 0,
    max: 2 ** 31 - 1,
  }),
  { name: 'stoppedReason', type: 'text', doc: 'Why the transaction ended (OCPP names)' },
  { name: 'offline', type: 'bool', doc: 'The transaction ran while the stall had no connection' },
  { name: 'meterValues', type: 'meterValues', doc: 'Sampled values of OCPP; they fill the fields that they measure' },
];

export const superchargerFields: readonly FieldSpec[] = fields.map((f) =>
  METERED.has(f.name) ? { ...f, numericText: true } : f,
);
