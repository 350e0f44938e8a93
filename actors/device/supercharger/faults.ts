import type { Facts } from '../../../runtime/shard/derived.ts';
import { closeFaults, openFault } from '../faults.ts';
import { Flag } from '../flags.ts';
import { ERROR_CODES } from './fields.ts';
import { FAULTED } from './operation.ts';
import type { SuperchargerAsset } from './state.ts';

const NO_ERROR = ERROR_CODES.indexOf('NoError');
/** OCPP 1.6 treats it as a warning whatever the status. */
const ONLY_WARNING = ERROR_CODES.indexOf('EVCommunicationError');
export const HIGH_TEMPERATURE = ERROR_CODES.indexOf('HighTemperature');

/**
 * Faults and warnings that status and error code tell; after the status. The status Faulted opens a fault under the
 * error code of that moment, and it closes when the stall tells another status. An error beside another status is a warning.
 */
export function foldStallFaults(asset: SuperchargerAsset, told: boolean, t: number, out: Facts): void {
  const { errorCode } = asset;
  const isError = errorCode < ERROR_CODES.length && errorCode !== NO_ERROR;
  const isFaulted = asset.operation === FAULTED;
  const isOpen = (asset.flags & Flag.stateFault) !== 0;
  if (!isFaulted) {
    if (isOpen) closeFaults(asset, (f) => f.source === 'state', t, 'cleared', out);
  } else if (told && !isOpen && errorCode !== ONLY_WARNING) {
    openFault(asset, isError ? ERROR_CODES[errorCode] : 'Faulted', 'critical', 'state', t, t, out);
  }
  const warns = isError && (!isFaulted || errorCode === ONLY_WARNING);
  const flags = warns ? asset.flags | Flag.warningCode : asset.flags & ~Flag.warningCode;
  if (flags !== asset.flags) asset.flags = flags;
}
