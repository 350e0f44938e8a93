import type { FieldValue } from '../record.ts';
import {
  type CapturedAsset,
  type CaptureType,
  isObject,
  type JsonObject,
  objects,
  pickFields,
  serialOfDin,
  text,
} from './capture.ts';

/** Answers that name no serial speak of the home as a whole: its batteries as one Powerwall, its roof as one inverter. */
const HOME = null;

/** `/api/meters/aggregates`: the meters of the home, W and lifetime Wh. */
export const metersAggregates: CaptureType = {
  name: 'meters/aggregates',
  matches: (capture) => ['battery', 'site', 'load', 'solar'].some((meter) => power(capture[meter]) !== undefined),
  assets(capture) {
    const meter = (name: string) => (isObject(capture[name]) ? capture[name] : {});
    const assets: CapturedAsset[] = [];
    const home = {
      ...meterFields(meter('battery')),
      ...pickFields(meter('site'), { siteW: 'instant_power' }),
      ...pickFields(meter('load'), { loadW: 'instant_power' }),
      ...pickFields(meter('solar'), { solarW: 'instant_power' }),
    };
    assets.push({ kind: 'powerwall', serial: HOME, model: 'Powerwall', fields: home });
    if (power(capture.solar) !== undefined) {
      assets.push({ kind: 'inverter', serial: HOME, model: 'Solar', fields: meterFields(meter('solar')) });
    }
    return assets;
  },
};

function power(meter: JsonObject[string]): number | undefined {
  return isObject(meter) && typeof meter.instant_power === 'number' ? meter.instant_power : undefined;
}

function meterFields(meter: JsonObject): Record<string, FieldValue> {
  return pickFields(meter, {
    powerW: 'instant_power',
    energyOutWh: 'energy_exported',
    energyInWh: 'energy_imported',
    frequencyHz: 'frequency',
    voltageV: 'instant_average_voltage',
  });
}

/** `/api/system_status`: one entry per battery. */
export const systemStatus: CaptureType = {
  name: 'system_status',
  matches: (capture) => 'battery_blocks' in capture,
  assets(capture) {
    const shared = pickFields(capture, { gridStatus: 'system_island_state' });
    return objects(capture.battery_blocks).map((block) => {
      const alerts = gridFaults(capture, block);
      return {
        kind: 'powerwall',
        serial: text(block.PackageSerialNumber) ?? 'UNKNOWN',
        model: text(block.PackagePartNumber) ?? 'Powerwall',
        fields: { ...shared, ...blockFields(block), ...(alerts.length > 0 ? { alerts } : {}) },
      };
    });
  },
};

function blockFields(block: JsonObject): Record<string, FieldValue> {
  return pickFields(block, {
    powerW: 'p_out',
    energyInWh: 'energy_charged',
    energyOutWh: 'energy_discharged',
    energyRemainingWh: 'nominal_energy_remaining',
    energyFullWh: 'nominal_full_pack_energy',
    frequencyHz: 'f_out',
    voltageV: 'v_out',
    inverterState: 'pinv_state',
    inverterGridState: 'pinv_grid_state',
    opSeqState: 'OpSeqState',
    disabledReasons: 'disabled_reasons',
    firmware: 'version',
  });
}

/**
 * What the inverters noticed of the grid. The list names the inverter, whose serial the blocks do not know: it goes to
 * the block that carries that serial, or else to every block that is connected.
 */
function gridFaults(capture: JsonObject, block: JsonObject): object[] {
  const faults = objects(capture.grid_faults).filter((fault) => text(fault.alert_name) !== undefined);
  const serials = new Set(objects(capture.battery_blocks).map((other) => other.PackageSerialNumber));
  const connected = text(block.pinv_state) !== undefined;
  return faults
    .filter(({ ecu_package_serial_number: serial }) =>
      serials.has(serial) ? serial === block.PackageSerialNumber : connected,
    )
    .map((fault) => ({
      name: fault.alert_name,
      ...(fault.alert_is_fault === false ? { severity: 'informational' } : {}),
      ...(typeof fault.timestamp === 'number' ? { startedAt: new Date(fault.timestamp).toISOString() } : {}),
    }));
}

/** `/api/powerwalls`: what is installed; only its grid state is a reading. */
export const powerwalls: CaptureType = {
  name: 'powerwalls',
  matches: (capture) => 'powerwalls' in capture,
  gateway: (capture) =>
    text(capture.gateway_din) === undefined ? undefined : serialOfDin(capture.gateway_din as string),
  assets(capture) {
    return objects(capture.powerwalls).map((unit) => ({
      kind: 'powerwall',
      serial: text(unit.PackageSerialNumber) ?? 'UNKNOWN',
      model: text(unit.PackagePartNumber) ?? 'Powerwall',
      fields: pickFields(unit, { inverterGridState: 'grid_state' }),
    }));
  },
};

/** `/api/system_status/grid_status`. */
export const gridStatus: CaptureType = {
  name: 'grid_status',
  matches: (capture) => typeof capture.grid_status === 'string',
  assets: (capture) => home(pickFields(capture, { gridStatus: 'grid_status', gridServices: 'grid_services_active' })),
};

/** `/api/system_status/soe`: charge of the home on the scale of the whole pack. */
export const stateOfEnergy: CaptureType = {
  name: 'soe',
  matches: (capture) => typeof capture.percentage === 'number',
  assets: (capture) => home({ soc: (capture.percentage as number) / 100 }),
};

/** `/api/operation`: how the owner wants the battery to be used. */
export const operation: CaptureType = {
  name: 'operation',
  matches: (capture) => typeof capture.real_mode === 'string' && typeof capture.backup_reserve_percent === 'number',
  assets: (capture) =>
    home({ mode: capture.real_mode as string, reserveSoc: (capture.backup_reserve_percent as number) / 100 }),
};

function home(fields: Record<string, FieldValue>): CapturedAsset[] {
  return [{ kind: 'powerwall', serial: HOME, model: 'Powerwall', fields }];
}
