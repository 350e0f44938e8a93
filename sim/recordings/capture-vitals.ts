import type { FieldValue } from '../record.ts';
import {
  type CapturedAsset,
  type CaptureType,
  isObject,
  type JsonObject,
  pickFields,
  serialOfDin,
  text,
} from './capture.ts';

/** One part of the tree: its DIN is `TYPE--part--serial`, its parent's stands in `componentParentDin`. */
interface Component {
  readonly din: string;
  readonly type: string;
  readonly serial: string;
  readonly parent: string;
  readonly signals: JsonObject;
}

const COMPONENT = /^([A-Z]+)--(.+)$/;
const GATEWAY_TYPES = ['STSTSM', 'TESYNC', 'TEMSA'];
/** Part of a Powerwall's own alerts that names a fault of it. */
const FAULT_ALERT = /_f\d/;
/** The API's "not available" in signals that are no list and no word. */
const NOT_AVAILABLE = -256;

/**
 * `/api/devices/vitals`: every part with its signals and alerts. A Powerwall is its controller (TETHC) with the parts
 * under it (TEPOD battery, TEPINV inverter); a PVAC with its PVS is a solar inverter.
 */
export const vitals: CaptureType = {
  name: 'vitals',
  matches: (capture) => componentsOf(capture).some(({ type }) => ['TETHC', 'TEPOD', 'TEPINV', 'PVAC'].includes(type)),
  gateway: (capture) => componentsOf(capture).find(({ type }) => type === 'STSTSM')?.serial,
  assets(capture) {
    const components = componentsOf(capture);
    return [...powerwallsOf(components), ...solarInvertersOf(components)];
  },
};

function componentsOf(capture: JsonObject): Component[] {
  const components: Component[] = [];
  for (const [din, signals] of Object.entries(capture)) {
    const match = COMPONENT.exec(din);
    if (match === null || !isObject(signals)) continue;
    const parent = text(signals.componentParentDin) ?? '';
    components.push({ din, type: match[1], serial: serialOfDin(match[2]), parent, signals });
  }
  return components;
}

interface Powerwall {
  readonly serial: string;
  readonly model: string;
  readonly parts: readonly Component[];
}

function powerwallsOf(components: readonly Component[]): CapturedAsset[] {
  const units = groupPowerwalls(components);
  const gatewayAlerts = alertNames(components.filter(({ type }) => GATEWAY_TYPES.includes(type)));
  const faulted = units.filter(({ parts }) => alertNames(parts).some((name) => FAULT_ALERT.test(name)));
  return units.map((unit) => {
    const isFaultOfAnother = faulted.length > 0 && !faulted.includes(unit);
    const shared = gatewayAlerts.filter((name) => !(isFaultOfAnother && name.startsWith('Battery')));
    return { kind: 'powerwall', serial: unit.serial, model: unit.model, fields: powerwallFields(unit.parts, shared) };
  });
}

/** Controllers with their parts; parts whose controller is not in the file make a Powerwall of their own per parent. */
function groupPowerwalls(components: readonly Component[]): Powerwall[] {
  const isPart = ({ type }: Component) => type === 'TEPOD' || type === 'TEPINV';
  const controllers = components.filter(({ type }) => type === 'TETHC');
  const units = new Map(controllers.map((controller) => [controller.din, [controller]]));
  for (const part of components.filter(isPart)) {
    const owner = part.parent === '' ? part.din : part.parent;
    const unit = units.get(owner);
    if (unit === undefined) units.set(owner, [part]);
    else unit.push(part);
  }
  return [...units].map(([din, parts]) => {
    const name = COMPONENT.exec(din)?.[2] ?? din;
    return { serial: serialOfDin(name), model: name.split('--')[0], parts };
  });
}

function powerwallFields(parts: readonly Component[], gatewayAlerts: readonly string[]): Record<string, FieldValue> {
  const signals: JsonObject = Object.assign({}, ...parts.map((part) => part.signals));
  const fields = pickFields(signals, {
    energyInWh: 'PINV_EnergyCharged',
    energyOutWh: 'PINV_EnergyDischarged',
    energyRemainingWh: 'POD_nom_energy_remaining',
    energyFullWh: 'POD_nom_full_pack_energy',
    availableChargeW: 'POD_available_charge_power',
    availableDischargeW: 'POD_available_dischg_power',
    frequencyHz: 'PINV_Fout',
    voltageV: 'PINV_Vout',
    inverterState: 'PINV_State',
    inverterGridState: 'PINV_GridState',
    tempC: 'THC_AmbientTemp',
    firmware: 'firmwareVersion',
  });
  if (signals.PINV_Pout !== undefined) fields.powerW = kilowatts(signals.PINV_Pout);
  if (fields.voltageV === undefined) Object.assign(fields, splitPhaseVoltage(signals));
  fields.alerts = [...alertNames(parts).map((name) => ({ name })), ...flaggedFaults(signals), ...named(gatewayAlerts)];
  return fields;
}

const named = (alerts: readonly string[]) => alerts.map((name) => ({ name }));

/** The inverter of a pack tells kW where everything else is W. */
function kilowatts(value: JsonObject[string]): number | null {
  return typeof value === 'number' && value !== NOT_AVAILABLE ? Math.round(value * 1e6) / 1e3 : null;
}

/** The voltage between the two legs, where only the legs are told. */
function splitPhaseVoltage({ PINV_VSplit1: first, PINV_VSplit2: second }: JsonObject): Record<string, FieldValue> {
  if (typeof first !== 'number' || typeof second !== 'number') return {};
  return { voltageV: first === NOT_AVAILABLE || second === NOT_AVAILABLE ? null : first + second };
}

/** The battery's own flags of a lasting fault, told as the alerts they are. */
function flaggedFaults(signals: JsonObject): object[] {
  const faults: object[] = [];
  if (signals.POD_PermanentlyFaulted === true) faults.push({ name: 'POD_PermanentlyFaulted', severity: 'rma' });
  if (signals.POD_PersistentlyFaulted === true) faults.push({ name: 'POD_PersistentlyFaulted', severity: 'critical' });
  return faults;
}

function solarInvertersOf(components: readonly Component[]): CapturedAsset[] {
  return components
    .filter(({ type }) => type === 'PVAC')
    .map((inverter) => {
      const strings = components.filter(({ type, parent }) => type === 'PVS' && parent === inverter.din);
      const name = inverter.din.slice('PVAC--'.length);
      const nameplate = components.find(({ type, din }) => type === 'TESLA' && din === `TESLA--${name}`)?.signals;
      return {
        kind: 'inverter',
        serial: inverter.serial,
        model: name.split('--')[0],
        ratedW: nameplateOf(nameplate),
        fields: inverterFields(inverter.signals, strings, [inverter, ...strings]),
      };
    });
}

function nameplateOf(signals: JsonObject | undefined): number | undefined {
  const attributes = signals?.pvInverterAttributes;
  return isObject(attributes) && typeof attributes.nameplateRealPowerW === 'number'
    ? attributes.nameplateRealPowerW
    : undefined;
}

function inverterFields(
  signals: JsonObject,
  strings: readonly Component[],
  parts: readonly Component[],
): Record<string, FieldValue> {
  const fields = pickFields(signals, {
    powerW: 'PVAC_Pout',
    energyOutWh: 'PVAC_LifetimeEnergyPV_Total',
    frequencyHz: 'PVAC_Fout',
    voltageV: 'PVAC_Vout',
    firmware: 'firmwareVersion',
  });
  const inputs = numbersOf(signals, /^PVAC_PVMeasuredPower_/).filter((watts) => watts !== NOT_AVAILABLE);
  if (inputs.length > 0) fields.dcPowerW = inputs.reduce((sum, watts) => sum + watts, 0);
  const connections = strings.flatMap((part) =>
    Object.entries(part.signals).filter(
      ([name, value]) => /^PVS_String._Connected$/.test(name) && typeof value === 'boolean',
    ),
  );
  if (connections.length > 0) {
    fields.stringsConnected = connections.filter(([, connected]) => connected === true).length;
    fields.stringsTotal = connections.length;
  }
  fields.alerts = named(alertNames(parts));
  return fields;
}

function numbersOf(signals: JsonObject, pattern: RegExp): number[] {
  return Object.entries(signals).flatMap(([name, value]) =>
    pattern.test(name) && typeof value === 'number' ? [value] : [],
  );
}

/** Alert names of some parts in their order; a name that the API tells twice is told twice. */
function alertNames(parts: readonly Component[]): string[] {
  return parts.flatMap(({ signals }) =>
    Array.isArray(signals.alerts)
      ? (signals.alerts as readonly unknown[]).filter((name): name is string => typeof name === 'string')
      : [],
  );
}
