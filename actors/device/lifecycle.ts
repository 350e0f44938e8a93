import type { LifecycleRecord, LifecycleResult, LifecycleStep } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import { lifecycleChange } from './facts.ts';
import { FIRST_STATE, LIFECYCLE_EVENTS, type LifecycleEvent, lifecycleRegion } from './lifecycle.machine.ts';
import { effectiveRecords, type EffectiveRecord } from './lifecycle-list.ts';
import { foldFirmwareRecords, isPhase } from './firmware.ts';
import { type Nameplate, Occupancies } from './occupancy.ts';
import { sayInterval, sayTransition } from './region.ts';
import { isTimeZone } from './zone.ts';

const { table } = lifecycleRegion;
const NONE = table.stateIndex('none');
const DECOMMISSIONED = table.stateIndex('decommissioned');
const MAX_CADENCE_S = 7 * 86_400;

export const lifecycleStates: readonly string[] = table.states;

/** What is known while the list is folded. */
interface Life {
  state: number;
  since: number;
  nth: number;
  /** It left its slot for another one. */
  moving: boolean;
  plate: Nameplate;
}

const UNTOLD: Nameplate = { model: null, ratedW: null, capacityWh: null, cadenceS: null, timeZone: null };

/** Folds an asset's whole lifecycle list: states its facts and says where the asset stands now. */
export function foldLifecycle(serial: string, records: readonly LifecycleRecord[], out: Facts): LifecycleResult {
  const life: Life = { state: NONE, since: 0, nth: 0, moving: false, plate: UNTOLD };
  const slots = new Occupancies(serial);
  const effective = effectiveRecords(records);
  const steps = effective.map((e): LifecycleStep => {
    const from = life.state;
    const review = e.voided ? null : apply(serial, life, slots, e, out);
    const { record, type, data, voided } = e;
    const legal = review === null;
    const step = { record, type, data, from: name(from), to: name(life.state), legal, review, voided };
    sayChange(serial, e, step, out);
    return step;
  });
  if (life.state !== NONE) sayInterval(serial, 'lifecycle', table.states[life.state], life.since, null, out);
  slots.say(out);
  foldFirmwareRecords(serial, effective, out);
  const { siteId, slot } = slots.current;
  const { state, since, plate } = life;
  const { cadenceS, timeZone } = plate;
  return { state, since, siteId, slot, cadenceS, timeZone, occupancies: slots.all, steps };
}

/** Why a record waits for review; docs/lifecycle.md lists them for people. */
export type Review = 'not_foreseen' | 'first_word' | 'unknown_record' | 'circle' | 'unknown_phase';

/** Lets one record have its effect. Returns why it must be looked at; null where all is well. */
function apply(serial: string, life: Life, slots: Occupancies, e: EffectiveRecord, out: Facts): Review | null {
  if (e.problem !== null) return e.problem;
  if (e.type === 'firmwareUpdate') return isPhase(e.data.phase) ? null : 'unknown_phase';
  if (e.type === 'voided' || e.type === 'corrected') return null;
  if (!isEvent(e.type)) return 'not_foreseen';
  const event = table.eventIndex(e.type);
  const legal = table.has(life.state, event) && mayFollow(life, e.type);
  // The first word on an asset whose life began before our books did is taken as it is, and still goes to review.
  if (!legal && life.state !== NONE) return 'not_foreseen';
  const to = legal ? table.next(life.state, event) : table.stateIndex(FIRST_STATE[e.type]);
  const at = e.record.eventTime;
  if (to !== life.state) enter(serial, life, to, at, e.type, out);
  if (to !== DECOMMISSIONED) life.moving = false;
  else if (e.type === 'decommissioned') life.moving = e.data.reason === 'moved';
  if (TELLS_PLATE.has(e.type)) life.plate = told(life.plate, e.data);
  if (e.type === 'installed') {
    slots.install(at, e.data, life.plate);
  } else if (leavesSlot(to)) {
    slots.leave(at);
  }
  return legal ? null : 'first_word';
}

/** Of what left its slot only a unit that moves goes on to another without having been refurbished. */
function mayFollow({ state, moving }: Life, type: LifecycleEvent): boolean {
  return state !== DECOMMISSIONED || moving || (type !== 'installed' && type !== 'shipped');
}

function enter(serial: string, life: Life, to: number, at: number, cause: string, out: Facts): void {
  const { states } = table;
  const from = life.state;
  life.nth = from !== NONE && life.since === at ? life.nth + 1 : 0;
  sayTransition(
    serial,
    'lifecycle',
    states[from],
    states[to],
    at,
    life.nth,
    cause,
    from === NONE ? null : at - life.since,
    out,
  );
  if (from !== NONE && life.since < at) sayInterval(serial, 'lifecycle', states[from], life.since, at, out);
  life.state = to;
  life.since = at;
}

const TELLS_PLATE: ReadonlySet<string> = new Set<LifecycleEvent>(['manufactured', 'installed', 'refurbished']);

/** The plate with what a record says of it; parts that make no sense are passed over. */
function told(plate: Nameplate, data: Readonly<Record<string, unknown>>): Nameplate {
  const { model, ratedW, capacityWh, cadenceSeconds, timeZone } = data;
  const isCadence = isAmount(cadenceSeconds) && cadenceSeconds > 0 && cadenceSeconds <= MAX_CADENCE_S;
  return {
    model: typeof model === 'string' && model !== '' ? model : plate.model,
    ratedW: isAmount(ratedW) ? ratedW : plate.ratedW,
    capacityWh: isAmount(capacityWh) ? capacityWh : plate.capacityWh,
    cadenceS: isCadence ? Math.max(1, Math.round(cadenceSeconds)) : plate.cadenceS,
    timeZone: typeof timeZone === 'string' && isTimeZone(timeZone) ? timeZone : plate.timeZone,
  };
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

const LEFT = new Set(['inTransit', 'inStock', 'decommissioned', 'returned', 'recycled'].map((s) => table.findState(s)));

function leavesSlot(state: number): boolean {
  return LEFT.has(state);
}

function isEvent(type: string): type is LifecycleEvent {
  return (LIFECYCLE_EVENTS as readonly string[]).includes(type);
}

function name(state: number): string | null {
  return state === NONE ? null : table.states[state];
}

function sayChange(serial: string, e: EffectiveRecord, step: LifecycleStep, out: Facts): void {
  const { id, eventTime, recordTime, source } = e.record;
  out.emit(lifecycleChange, `${serial}/${id}`, eventTime, {
    recordId: id,
    type: e.record.type,
    from: step.from,
    to: step.to,
    legal: step.legal,
    review: step.review,
    voided: step.voided,
    source,
    occurredTime: eventTime,
    reportedTime: recordTime,
    data: e.record.data,
  });
}
