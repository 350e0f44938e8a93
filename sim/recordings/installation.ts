import { type LifecycleRecord, lifecycle, type SourceKind } from '../record.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export interface Installation {
  readonly serial: string;
  readonly kind: SourceKind;
  readonly siteId: string;
  readonly position: string;
  /** Who says so, for instance `replay:solarma`. */
  readonly source: string;
  readonly model: string;
  readonly capacityWh?: number;
  readonly ratedW?: number;
  readonly timeZone?: string;
  readonly cadenceSeconds?: number;
  /** Epoch milliseconds of the first reading: everything told here is older. */
  readonly firstReading: number;
}

/**
 * An asset's way into service before its first reading: a recording says nothing about it, and a reading of an asset
 * that was never installed would be one without a site. Ids are made of the serial only, so that a second recording
 * of the same asset repeats these records instead of installing it again.
 */
export function installationRecords(asset: Installation): LifecycleRecord[] {
  const { serial, kind, source, firstReading } = asset;
  const steps: [type: string, beforeMs: number, data: Record<string, unknown>][] = [
    ['manufactured', 90 * DAY_MS, { model: asset.model, capacityWh: asset.capacityWh, ratedW: asset.ratedW }],
    ['shipped', 60 * DAY_MS, {}],
    ['delivered', 30 * DAY_MS, {}],
    ['installed', 120 * MINUTE_MS, installedData(asset)],
    ['commissioningStarted', 60 * MINUTE_MS, {}],
    ['commissioned', MINUTE_MS, {}],
  ];
  return steps.map(([type, beforeMs, data]) => {
    const time = new Date(firstReading - beforeMs).toISOString();
    return lifecycle({
      id: `${source}/${serial}/${type}`,
      serial,
      kind,
      type,
      eventTime: time,
      recordTime: time,
      source,
      data: withoutUndefined(data),
    });
  });
}

function installedData(asset: Installation): Record<string, unknown> {
  const { siteId, position, timeZone, cadenceSeconds } = asset;
  return { siteId, position, timeZone, cadenceSeconds };
}

function withoutUndefined(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}
