import { hasControl, isSerial, type JsonObject } from './document.ts';

/** How a part of `data` is checked, and how its JSON Schema says so. */
export interface DataPart {
  readonly shape: 'label' | 'text' | 'amount' | 'cadence' | 'zone' | 'list' | 'serial' | 'type' | 'flag';
  readonly required?: boolean;
  readonly doc: string;
}

export interface LifecycleType {
  readonly doc: string;
  readonly data: Readonly<Record<string, DataPart>>;
}

const part = (shape: DataPart['shape'], doc: string, required = false): DataPart => ({ shape, doc, required });
const type = (doc: string, data: Record<string, DataPart> = {}): LifecycleType => ({ doc, data });

const REASON = part('text', 'Why.');
const PLATE = {
  model: part('label', 'Model.'),
  capacityWh: part('amount', 'Energy it holds when new, Wh.'),
  ratedW: part('amount', 'Rated power, W.'),
};
const INSTALLED = {
  siteId: part('label', 'Site.', true),
  position: part('label', 'Slot at the site.', true),
  cabinet: part('label', 'Cabinet that feeds it.'),
  cabinetLimitW: part('amount', 'Power that the cabinet shares out, W.'),
  region: part('label', 'Area of the site, for instance a grid zone.'),
  replaces: part('serial', 'Serial of the unit that held the position before.'),
  timeZone: part('zone', "The asset's IANA time zone; a day means this zone."),
  cadenceSeconds: part('cadence', 'Expected seconds between two readings, 1 to 86400.'),
  ...PLATE,
};

const supersedes = part('label', 'Id of the record that this one takes the place of.', true);

/**
 * The types of lifecycle records and what their data must hold. Data is checked loosely: parts that are required must be there,
 * known parts must have their type, unknown parts are kept as they are.
 */
export const LIFECYCLE_TYPES: ReadonlyMap<string, LifecycleType> = new Map(
  Object.entries({
    manufactured: type('Built; its serial exists from now on.', PLATE),
    shipped: type('Left for somewhere.'),
    delivered: type('Arrived in stock.'),
    installed: type('Mounted at a position of a site.', INSTALLED),
    commissioningStarted: type('Start-up tests began.'),
    commissioned: type('In service.'),
    commissioningFailed: type('Start-up tests failed.', { reason: REASON }),
    maintenanceStarted: type('Work on it began.', {
      ticket: part('label', 'Work order.'),
      planned: part('flag', 'Whether it was planned; availability counts what was not.'),
    }),
    maintenanceCompleted: type('Work on it ended.', { parts: part('list', 'Parts that were changed.') }),
    suspended: type('Taken out of service for a time.', { reason: REASON }),
    resumed: type('Back in service.'),
    firmwareUpdate: type('A step of a firmware update.', {
      phase: part('label', 'Step.', true),
      version: part('label', 'Version it leads to.'),
    }),
    decommissioned: type('Taken out for good.', { reason: REASON }),
    returned: type('Sent back.'),
    refurbished: type('Made ready for a second life.', PLATE),
    recycled: type('Gone.'),
    replacedBy: type('Another unit took its position.', {
      newSerial: part('serial', 'Serial of the other unit.', true),
    }),
    corrected: type('Replaces an earlier record that was wrong; what it does not name stays.', {
      supersedes,
      ...Object.fromEntries(Object.entries(INSTALLED).map(([name, one]) => [name, { ...one, required: false }])),
      type: part('type', 'The right type.'),
    }),
    voided: type('Takes back an earlier record that was wrong.', { supersedes }),
  }),
);

const MAX_LABEL_CHARS = 128;
const MAX_TEXT_CHARS = 1024;
const MAX_PARTS = 256;

const isLabel = (value: unknown) =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= MAX_LABEL_CHARS &&
  value.isWellFormed() &&
  !hasControl(value);

const CHECKS: Record<DataPart['shape'], (value: unknown) => boolean> = {
  label: isLabel,
  text: (value) => typeof value === 'string' && value.length <= MAX_TEXT_CHARS,
  amount: (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  cadence: (value) => typeof value === 'number' && value >= 1 && value <= 86400,
  zone: (value) => typeof value === 'string' && isTimeZone(value),
  list: (value) => Array.isArray(value) && value.length <= MAX_PARTS,
  serial: isSerial,
  flag: (value) => typeof value === 'boolean',
  type: (value) =>
    typeof value === 'string' && LIFECYCLE_TYPES.has(value) && value !== 'corrected' && value !== 'voided',
};

/** For people: what is wrong with the data of a record of this type, or null. */
export function dataProblem(type: string, data: JsonObject): string | null {
  for (const [name, { shape, required }] of Object.entries(LIFECYCLE_TYPES.get(type)?.data ?? {})) {
    const value = data[name];
    if (value === undefined || value === null) {
      if (required) return `data.${name} is missing, which ${type} requires`;
    } else if (!CHECKS[shape](value))
      return `data.${name} is not a valid ${shape === 'zone' ? 'IANA time zone' : shape}`;
  }
  return null;
}

const zones = new Map<string, boolean>();
const MAX_ZONES = 1000;

/** Whether the name is an IANA time zone that this runtime knows. Answers are kept, at most 1000. */
export function isTimeZone(name: string): boolean {
  const known = zones.get(name);
  if (known !== undefined) return known;
  let valid = /^[A-Za-z]/.test(name) && name.length <= 64;
  if (valid) {
    try {
      new Intl.DateTimeFormat('en', { timeZone: name });
    } catch {
      valid = false;
    }
  }
  if (zones.size >= MAX_ZONES) zones.clear();
  zones.set(name, valid);
  return valid;
}
