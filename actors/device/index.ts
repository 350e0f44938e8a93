import { decodeLifecycle } from '../../codec/lifecycle.ts';
import { REASONS } from '../../codec/reasons.ts';
import { createTelemetryDecoder } from '../../codec/telemetry.ts';
import { type ActorType, type Kind, type ReadingDecoder, topics } from '../../runtime/shard/contract.ts';
import { derivedTypes } from './facts.ts';
import { memberState } from './member.ts';
import { inverter } from './inverter/inverter.ts';
import { megapack } from './megapack/megapack.ts';
import { powerwall } from './powerwall/powerwall.ts';
import { supercharger } from './supercharger/supercharger.ts';

export { deviceMachines } from './machines.ts';

/** The kinds of devices, in the order that numbers them in readings. */
export const kinds: readonly Kind[] = [powerwall, inverter, supercharger, megapack];

const kindNames: ReadonlySet<string> = new Set(kinds.map((kind) => kind.name));
const reasons: readonly string[] = REASONS.map((reason) => reason.code);

/** The actor type of everything that has a serial and sends readings. */
export const deviceType: ActorType = {
  name: 'device',
  kinds,
  derived: [...derivedTypes, memberState],
  topics: {
    readings: topics.telemetry,
    lifecycle: topics.lifecycle,
    timers: 'timers',
    journal: topics.journal,
    snapshots: topics.snapshots,
  },
  order: 'deviceTime',
  createDecoder(): ReadingDecoder {
    return Object.assign(createTelemetryDecoder(kinds), { reasons });
  },
  decodeLifecycle(bytes, start, end, timestamp) {
    const outcome = decodeLifecycle(bytes, start, end, timestamp, kindNames);
    if (!outcome.ok) return { ok: false, reason: outcome.reason };
    const { serial, kind, ...record } = outcome.record;
    return { ok: true, serial, kind, record };
  },
};
