import { basename } from 'node:path';
import { type SourceRecord, telemetry } from '../record.ts';
import { type CapturedAsset, type CaptureType, captureTime, readCapture } from './capture.ts';
import { gridStatus, metersAggregates, operation, powerwalls, stateOfEnergy, systemStatus } from './capture-answers.ts';
import { vitals } from './capture-vitals.ts';
import { malformed, type Recording, type RecordingOptions } from './contract.ts';
import { installationRecords } from './installation.ts';
import { distinctSerials, withPrefix, zoneOf } from './serial.ts';

const SOURCE = 'replay:powerwall-api';
const MAX_HOME_CHARS = 48;

const captureTypes: readonly CaptureType[] = [
  systemStatus,
  powerwalls,
  vitals,
  metersAggregates,
  gridStatus,
  stateOfEnergy,
  operation,
];

/**
 * One answer of the local Powerwall API, recognised by its content: every asset in it gets one reading, at one time
 * for the whole file. Values are passed on as the API gives them, its placeholders included.
 */
export const powerwallApi: Recording = {
  format: 'powerwall-api',
  description: 'One JSON answer of the local Powerwall API: meters, system status, powerwalls, vitals, grid status',
  options: ['at', 'serialPrefix', 'siteId', 'timeZone'],
  open: readAnswer,
};

async function* readAnswer(file: string, options: RecordingOptions): AsyncGenerator<SourceRecord> {
  const timeZone = options.timeZone === undefined ? undefined : zoneOf(options, 'UTC').name;
  const capture = await readCapture(file);
  const type = captureTypes.find((candidate) => candidate.matches(capture));
  if (type === undefined) {
    const known = captureTypes.map(({ name }) => name).join(', ');
    throw malformed(file, 1, `none of the answers of the local Powerwall API that are known (${known})`);
  }
  const time = await captureTime(file, capture, options.at);
  const assets = type.assets(capture);
  const home =
    options.serialPrefix ||
    basename(file)
      .replace(/\.json$/i, '')
      .slice(0, MAX_HOME_CHARS);
  const serials = serialsOf(assets, home, options.serialPrefix);
  const siteId = options.siteId ?? siteOf(type.gateway?.(capture), assets, home, options.serialPrefix);
  const places = positions(assets);
  const deviceTime = new Date(time).toISOString();
  const stamp = { deviceTime, receiveTime: deviceTime, txid: `${type.name}-${time}` };
  for (const [i, { kind, model, ratedW, fields }] of assets.entries()) {
    const serial = serials[i];
    const place = { siteId, position: places[i], source: SOURCE, timeZone };
    yield* installationRecords({ serial, kind, model, ratedW, ...place, firstReading: time });
    yield telemetry({ serial, kind, ...stamp, fields });
  }
}

/** The file's serials made distinct; `{home}-PW` and `{home}-PV` for what speaks of the home as a whole. */
function serialsOf(assets: readonly CapturedAsset[], home: string, prefix: string | undefined): string[] {
  const named = assets.map(({ kind, serial }) => {
    if (serial === null) return `${home}-${kind === 'powerwall' ? 'PW' : 'PV'}`;
    return withPrefix(prefix, serial);
  });
  return distinctSerials(named);
}

/** A home is known by its gateway, else by its first battery, else by what the file is called. */
function siteOf(
  gateway: string | undefined,
  assets: readonly CapturedAsset[],
  home: string,
  prefix: string | undefined,
): string {
  const known = gateway ?? assets.find(({ serial }) => serial !== null)?.serial;
  return known ? withPrefix(prefix, known) : home;
}

/** `battery-1`, `battery-2`, ... and `solar-1`, ... in the order of the file. */
function positions(assets: readonly CapturedAsset[]): string[] {
  const count = { powerwall: 0, inverter: 0 };
  return assets.map(({ kind }) => {
    count[kind] += 1;
    return `${kind === 'powerwall' ? 'battery' : 'solar'}-${count[kind]}`;
  });
}
