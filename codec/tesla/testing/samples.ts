import { TESLA_FIELDS } from '../fields.ts';
import type { TeslaMessage } from '../messages.ts';
import { stamp } from './encode.ts';

const at = 1_735_689_600_123;
const datum = (name: string, value: object) => ({ key: TESLA_FIELDS.indexOf(name), value });

/** Messages of every type with every form of value; their bytes and documents are kept in golden/messages.json. */
export const samples: readonly { name: string; message: TeslaMessage; value: object }[] = [
  {
    name: 'a payload with every form of value',
    message: 'V',
    value: {
      vin: '5YJ3E1EA7KF000001',
      createdAt: stamp(at),
      isResend: true,
      data: [
        datum('Soc', { float: 72.5 }),
        datum('EnergyRemaining', { double: 51.25 }),
        datum('ACChargingPower', { string: '11.5' }),
        datum('PackVoltage', { string: '<invalid>' }),
        datum('ModuleTempMax', { invalid: true }),
        datum('Version', { string: '2025.2.6 6fe64a' }),
        datum('Odometer', { double: 12345.678 }),
        datum('ChargeAmps', { int: -12 }),
        datum('LifetimeEnergyUsed', { long: 9_007_199_254 }),
        datum('Locked', { boolean: true }),
        datum('Location', { location: { latitude: 37.4925, longitude: -121.945 } }),
        datum('DoorState', { doors: { driverFront: true, trunkRear: false } }),
        datum('DetailedChargeState', { chargeState: 4 }),
        datum('ScheduledDepartureTime', { time: { hour: 7, minute: 5 } }),
        datum('TpmsHardWarnings', { tires: { frontLeft: true } }),
        datum('VehicleName', { later: 'of a newer release' }),
        { key: 300, value: { int: 1 } },
      ],
    },
  },
  { name: 'a payload without a vin', message: 'V', value: { createdAt: stamp(at), data: [] } },
  { name: 'a payload without a time', message: 'V', value: { vin: 'V1', data: [] } },
  {
    name: 'alerts, one of them active',
    message: 'alerts',
    value: {
      vin: 'V1',
      createdAt: stamp(at),
      alerts: [
        { name: 'BMS_a066', audiences: [1, 3], startedAt: stamp(at - 60_000) },
        { name: 'CC_a001', audiences: [], startedAt: stamp(at - 90_000), endedAt: stamp(at - 1_000) },
      ],
    },
  },
  {
    name: 'errors',
    message: 'errors',
    value: {
      vin: 'V1',
      createdAt: stamp(at),
      errors: [{ name: 'cloud_manager_error', body: 'parsing', createdAt: stamp(at - 5), tags: { code: '7' } }],
    },
  },
  {
    name: 'a connection',
    message: 'connectivity',
    value: { vin: 'V1', connectionId: 'c-1', status: 1, createdAt: stamp(at), networkInterface: 'wifi' },
  },
  {
    name: 'the end of a connection',
    message: 'connectivity',
    value: { vin: 'V1', connectionId: 'c-1', status: 2, createdAt: stamp(at) },
  },
];
