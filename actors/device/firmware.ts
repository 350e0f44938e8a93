import type { LifecycleResult } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import { compareVersions } from './extras.ts';
import { firmwareUpdate, iso } from './facts.ts';
import { firmwareRegion } from './firmware.machine.ts';
import type { EffectiveRecord } from './lifecycle-list.ts';
import { sayInterval, sayTransition } from './region.ts';

const { table } = firmwareRegion;
const IDLE = table.stateIndex('idle');
const FAILED = table.stateIndex('failed');

/** Other words for the phases: OCPP's and those of the update in the vehicles' API. */
const PHASE_WORDS: Readonly<Record<string, string>> = {
  downloaded: 'staged',
  download: 'downloading',
  downloadscheduled: 'scheduled',
  installscheduled: 'staged',
  installrebooting: 'rebooting',
  installed: 'completed',
  succeeded: 'completed',
  complete: 'completed',
  idle: 'completed',
  downloadfailed: 'failed',
  installationfailed: 'failed',
  installverificationfailed: 'failed',
  rolledback: 'failed',
  rollback: 'failed',
};

interface Attempt {
  readonly started: number;
  fromVersion: string | null;
  toVersion: string | null;
}

/**
 * Region firmware as the records of updates tell it. Measured facts never depend on lifecycle records, so the version
 * that the asset itself tells is a fact of its own (`firmware_update` with source `telemetry`).
 */
export function foldFirmwareRecords(serial: string, records: readonly EffectiveRecord[], out: Facts): void {
  let state = IDLE;
  let since = 0;
  let nth = 0;
  let version: string | null = null;
  let attempt: Attempt | null = null;
  for (const { record, type, data, voided, problem } of records) {
    if (voided || problem !== null || type !== 'firmwareUpdate') continue;
    const event = phaseOf(data.phase);
    if (event < 0) continue;
    const at = record.eventTime;
    const wanted = typeof data.version === 'string' ? data.version : null;
    attempt ??= { started: at, fromVersion: version, toVersion: null };
    attempt.toVersion = wanted ?? attempt.toVersion;
    const to = table.next(state, event);
    if (to !== state) {
      const { states } = table;
      nth = since === at ? nth + 1 : 0;
      sayTransition(
        serial,
        'firmware',
        states[state],
        states[to],
        at,
        nth,
        'record',
        since === 0 ? null : at - since,
        out,
      );
      if (since !== 0 && since < at) sayInterval(serial, 'firmware', states[state], since, at, out);
      sayInterval(serial, 'firmware', states[to], at, null, out);
      state = to;
      since = at;
    }
    const done = state === IDLE || state === FAILED;
    sayAttempt(serial, attempt, done ? at : null, done ? state === IDLE : null, out);
    if (done) {
      if (state === IDLE) version = attempt.toVersion ?? version;
      attempt = null;
    }
  }
}

/** Region firmware for the view: the newest record, unless the asset has told the wanted version since. */
export function firmwareNow(
  life: LifecycleResult | null,
  version: string | null,
  versionAt: number,
): { state: string; since: number } {
  let state = IDLE;
  let since = 0;
  let wanted: string | null = null;
  for (const { record, type, data, voided, legal } of life?.steps ?? []) {
    if (voided || !legal || type !== 'firmwareUpdate') continue;
    const event = phaseOf(data.phase);
    if (event < 0) continue;
    const to = table.next(state, event);
    if (typeof data.version === 'string') wanted = data.version;
    if (to !== state) since = record.eventTime;
    state = to;
  }
  const arrived = state !== IDLE && version !== null && version === wanted && versionAt > since;
  return { state: table.states[arrived ? IDLE : state], since: arrived ? versionAt : since };
}

/** Whether the word means a phase of an update. */
export function isPhase(phase: unknown): boolean {
  return phaseOf(phase) >= 0;
}

function phaseOf(phase: unknown): number {
  if (typeof phase !== 'string') return -1;
  const word = phase.toLowerCase().replace(/[^a-z]/g, '');
  return table.findEvent(Object.hasOwn(PHASE_WORDS, word) ? PHASE_WORDS[word] : word);
}

function sayAttempt(
  serial: string,
  attempt: Attempt,
  completedTime: number | null,
  ok: boolean | null,
  out: Facts,
): void {
  const { started, fromVersion, toVersion } = attempt;
  const lower = fromVersion !== null && toVersion !== null && compareVersions(toVersion, fromVersion) < 0;
  out.emit(firmwareUpdate, `${serial}/lifecycle/${iso(started)}`, started, {
    fromVersion,
    toVersion,
    startedTime: started,
    completedTime,
    ok,
    rollback: lower,
    source: 'lifecycle',
  });
}
