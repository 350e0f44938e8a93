import type { Facts } from '../../../runtime/shard/derived.ts';
import { iso, stringOut } from '../facts.ts';
import { changeSide, readSide, type StringsOut } from '../side.ts';
import { isFeeding } from './operation.ts';
import type { InverterAsset } from './state.ts';

const CONFIRMED_AFTER_MS = 15 * 60_000;
/** Values of column `stringsOut`. */
const NONE = 0;
const JUST_NOW = 1;
const CONFIRMED = 2;

/** Strings that are not connected; after the fields and the state are applied. In the dark none need to be. */
export function foldStrings(asset: InverterAsset, t: number, out: Facts): void {
  const stage = asset.stringsOut;
  if (!isFeeding(asset.operation)) {
    if (stage === JUST_NOW) forget(asset);
    return;
  }
  const { stringsTotal: total } = asset;
  const missing = total - asset.stringsConnected;
  if (!(missing > 0)) {
    if (stage === CONFIRMED) say(asset, t, out);
    if (stage !== NONE) forget(asset);
    return;
  }
  const known = readSide(asset).strings ?? { from: t, out: 0, total };
  const more = missing > known.out;
  if (more) changeSide(asset, { strings: { ...known, out: missing, total } satisfies StringsOut });
  const isNew = stage !== CONFIRMED && t - known.from > CONFIRMED_AFTER_MS;
  if (isNew) asset.stringsOut = CONFIRMED;
  else if (stage === NONE) asset.stringsOut = JUST_NOW;
  if (isNew || (more && stage === CONFIRMED)) say(asset, null, out);
}

/** States the strings that are out now. */
export function openStrings(asset: InverterAsset, out: Facts): void {
  if (asset.stringsOut === CONFIRMED) say(asset, null, out);
}

function forget(asset: InverterAsset): void {
  asset.stringsOut = NONE;
  changeSide(asset, { strings: null });
}

function say(asset: InverterAsset, toTime: number | null, out: Facts): void {
  const { strings } = readSide(asset);
  if (strings == null) return;
  out.emit(stringOut, `${asset.serial}/${iso(strings.from)}`, strings.from, {
    fromTime: strings.from,
    toTime,
    stringsOut: strings.out,
    stringsTotal: strings.total,
  });
}
