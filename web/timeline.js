import { get } from './api.js';
import { empty, h, replace } from './dom.js';
import {
  assetHref,
  day,
  joined,
  moment,
  percent,
  siteHref,
  span,
  timeOfDay,
  tone,
  wattHours,
  watts,
  words,
} from './format.js';

const pageSize = 100;
const filters = [
  ['', 'All'],
  ['state_transition', 'States'],
  ['fault', 'Faults'],
  ['data_gap', 'Gaps'],
  ['grid_event', 'Grid'],
  ['lifecycle_change', 'Lifecycle'],
];
/** Measurements and open intervals are shown elsewhere. */
const hidden = new Set(['energy_interval', 'meter_interval', 'availability_interval', 'state_interval']);

/** What happened to an asset, newest first; facts that were taken back are struck out. */
export function timeline(serial, signal) {
  const chips = h('div.chips', { role: 'group', 'aria-label': 'Kinds of events' });
  const list = h('ol.timeline');
  const foot = h('div.pager');
  let type = '';
  let soon;
  let facts = new Map();

  async function load(before) {
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (type) query.set('type', type);
    if (before) query.set('before', before);
    const asked = type;
    try {
      const page = await get(`/v1/assets/${encodeURIComponent(serial)}/events?${query}`, signal);
      if (asked !== type) return;
      if (before === undefined) facts = new Map();
      for (const event of page.items) keepNewest(facts, event);
      show(page.next);
    } catch (error) {
      if (error.name !== 'AbortError') replace(list, h('li', {}, empty('The events could not be read', error.message)));
    }
  }

  function show(next) {
    const events = [...facts.values()]
      .filter((event) => type !== '' || !hidden.has(event.type))
      .sort((a, b) => (a.eventTime < b.eventTime ? 1 : -1));
    let lastDay;
    const rows = events.flatMap((event) => {
      const today = day(event.eventTime);
      const heading = today === lastDay ? [] : [h('li.day', {}, today)];
      lastDay = today;
      return [...heading, entry(event)];
    });
    replace(
      list,
      ...(rows.length > 0
        ? rows
        : [h('li', {}, empty('Nothing yet', 'Transitions, faults and gaps will stand here.'))]),
    );
    replace(foot, next === null ? [] : h('button', { type: 'button', onclick: () => load(next) }, 'Earlier'));
  }

  for (const [name, text] of filters) {
    const chip = h(
      'button.chip',
      { type: 'button', 'aria-pressed': String(name === ''), onclick: () => choose(name) },
      text,
    );
    chip.dataset.type = name;
    chips.append(chip);
  }
  function choose(name) {
    type = name;
    for (const chip of chips.children) chip.setAttribute('aria-pressed', String(chip.dataset.type === name));
    void load();
  }
  void load();
  return {
    element: h(
      'section.card',
      { 'aria-label': 'Timeline' },
      h('header', {}, h('h2', {}, 'Timeline')),
      chips,
      list,
      foot,
    ),
    /** The state changed: the tables follow a little later. */
    refreshSoon() {
      clearTimeout(soon);
      soon = setTimeout(() => load(), 2_500);
    },
    end: () => clearTimeout(soon),
  };
}

function keepNewest(facts, event) {
  const key = `${event.type}\n${event.key}`;
  const held = facts.get(key);
  if (held === undefined || held.version < event.version) facts.set(key, event);
}

function entry(event) {
  const item = eventItem({ at: event.eventTime, shown: timeOfDay(event.eventTime), ...describe(event) });
  item.classList.toggle('retracted', event.op === 'retract');
  return item;
}

/** One event in a list: when, what, and a note; `shown` is the time as the list writes it. */
export function eventItem({ at, shown, title, note, mood }) {
  return h(
    'li.event',
    { 'data-tone': mood },
    h('i'),
    h('time', { datetime: at, title: moment(at) }, shown),
    h('div', {}, h('strong', {}, title), note ? h('span', {}, note) : null),
  );
}

const lasted = (from, to) => (to ? span(Date.parse(to) - Date.parse(from)) : 'still so');

const describers = {
  state_transition: ({ region, from, to, cause, leftAfterMs }) => ({
    title: `${words(region)}: ${from ? `${words(from)} → ` : ''}${words(to)}`,
    note: [cause && words(cause), typeof leftAfterMs === 'number' && `after ${span(leftAfterMs)}`]
      .filter(Boolean)
      .join(', '),
    mood: tone(to),
  }),
  fault: ({ code, severity, closedTime, closedBy, recurrence }) => ({
    title: `Fault ${code}`,
    note: [
      severity && words(severity),
      closedTime ? `closed ${moment(closedTime)}${closedBy ? ` (${words(closedBy).toLowerCase()})` : ''}` : 'open',
      recurrence > 1 && `${recurrence} times`,
    ]
      .filter(Boolean)
      .join(', '),
    mood: closedTime ? 'warn' : 'bad',
  }),
  data_gap: ({ class: kind, fromTime, toTime }) => ({
    title: kind === 'zeros' ? 'Data gap: only zeros' : 'Data gap: silence',
    note: toTime ? `${span(Date.parse(toTime) - Date.parse(fromTime))}, until ${moment(toTime)}` : 'still open',
    mood: 'away',
  }),
  counter_reset: ({ field, class: kind, before, after }) => ({
    title: `Counter ${field}: ${words(kind).toLowerCase()}`,
    note: `${joined(wattHours(before))} to ${joined(wattHours(after))}`,
    mood: 'work',
  }),
  charging_session: ({ endTime, startTime, energyWh, socFrom, socTo, stoppedReason }) => ({
    title: `Charged a vehicle: ${joined(wattHours(energyWh))}`,
    note: [
      endTime ? `in ${span(Date.parse(endTime) - Date.parse(startTime))}` : 'still charging',
      typeof socFrom === 'number' && typeof socTo === 'number' && `${percent(socFrom)} to ${percent(socTo)}`,
      stoppedReason && words(stoppedReason),
    ]
      .filter(Boolean)
      .join(', '),
    mood: 'in',
  }),
  dispatch_deviation: ({ fromTime, toTime, setpointW, maxErrorW, undeliveredWh }) => ({
    title: 'Power off the setpoint',
    note: [
      lasted(fromTime, toTime),
      `${joined(watts(setpointW))} wanted, off by up to ${joined(watts(maxErrorW))}`,
      typeof undeliveredWh === 'number' && `${joined(wattHours(undeliveredWh))} not delivered`,
    ]
      .filter(Boolean)
      .join(', '),
    mood: 'warn',
  }),
  grid_event: ({ fromTime, toTime, intentional, socFrom, socTo }) => ({
    title: intentional ? 'Island, wanted' : 'Grid lost',
    note: [
      lasted(fromTime, toTime),
      typeof socFrom === 'number' &&
        `charge ${percent(socFrom)}${typeof socTo === 'number' ? ` to ${percent(socTo)}` : ''}`,
    ]
      .filter(Boolean)
      .join(', '),
    mood: 'island',
  }),
  slot_occupancy: ({ siteId, slot, toTime }) => ({
    title: `Stands at ${siteId}, ${slot}`,
    note: toTime ? `until ${moment(toTime)}` : '',
    mood: 'good',
  }),
  derate_interval: ({ cause, fromTime, toTime }) => ({
    title: `Limited by ${words(cause).toLowerCase()}`,
    note: lasted(fromTime, toTime),
    mood: 'warn',
  }),
  lifecycle_change: ({ from, to, type, legal }) => ({
    title: `${words(type)}${to ? `: ${from ? `${words(from)} → ` : ''}${words(to)}` : ''}`,
    note: legal === false ? 'not allowed from that state; for review' : '',
    mood: legal === false ? 'warn' : 'good',
  }),
};

function describe({ type, data }) {
  const describer = Object.hasOwn(describers, type) ? describers[type] : undefined;
  if (describer !== undefined) return describer(data);
  const note = Object.entries(data)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .map(
      ([name, value]) => `${name} ${typeof value === 'string' && value.length > 40 ? `${value.slice(0, 40)}…` : value}`,
    )
    .join(', ');
  return { title: words(type), note, mood: 'idle' };
}

/** The lifecycle records in folding order, with what each did. */
export function lifecycleList(serial, signal) {
  const list = h('ol.timeline');
  const summary = h('dl.details');
  void load();
  async function load() {
    try {
      const life = await get(`/v1/assets/${encodeURIComponent(serial)}/lifecycle`, signal);
      if (life.items.length === 0) {
        replace(list, h('li', {}, empty('No lifecycle records', 'An asset without any counts as in service.')));
        return;
      }
      replace(summary, lifeEntries(life));
      replace(list, ...life.items.toReversed().map(step));
    } catch (error) {
      if (error.name !== 'AbortError')
        replace(list, h('li', {}, empty('The lifecycle could not be read', error.message)));
    }
  }
  return {
    element: h('section.card', { 'aria-label': 'Lifecycle' }, h('header', {}, h('h2', {}, 'Lifecycle')), summary, list),
  };
}

/** Phase, how long each state lasted, where it stood before, and who came before and after it in its slot. */
function lifeEntries({ phase, deployment, dwell, installations, replaces, replacedBy }) {
  const states = Object.entries(dwell?.states ?? {}).map(([state, { ms }]) => `${words(state)} ${span(ms)}`);
  const left = (installations ?? []).filter(({ toTime }) => toTime !== null);
  const stood = left.flatMap(({ siteId, slot }) => [h('a', { href: siteHref(siteId) }, siteId), `, ${slot}`, h('br')]);
  return [
    ['Phase', phase && words(phase)],
    ['Deployment', deployment && words(deployment)],
    ['Replaces', replaces && neighbour(replaces)],
    ['Replaced by', replacedBy && neighbour(replacedBy)],
    ['Stood before at', stood.length > 0 && stood],
    ['Time in each state', states.length > 0 && states.join(' · ')],
  ]
    .filter(([, value]) => value)
    .map(([name, value]) =>
      h(name === 'Time in each state' ? 'div.wide' : 'div', {}, h('dt', {}, name), h('dd', {}, value)),
    );
}

/** Another asset; `told` is by a record, or only by the slot that both held. */
function neighbour({ serial, told }) {
  return [h('a', { href: assetHref(serial) }, serial), told === 'record' ? '' : ', by the slot'];
}

function step(record) {
  const details = Object.entries(record.data)
    .filter(([, value]) => value !== null && typeof value !== 'object')
    .map(([name, value]) => `${words(name).toLowerCase()} ${value}`);
  const change = record.to ? `${record.from ? `${words(record.from)} → ` : ''}${words(record.to)}` : '';
  const note = [
    change,
    ...details,
    record.source && `from ${record.source}`,
    !record.legal && !record.voided && 'not allowed then; for review',
  ]
    .filter(Boolean)
    .join(' · ');
  return h(
    'li',
    { class: record.voided ? 'event retracted' : 'event', 'data-tone': record.legal ? 'good' : 'warn' },
    h('i'),
    h('time', { datetime: record.eventTime, title: moment(record.eventTime) }, day(record.eventTime)),
    h('div', {}, h('strong', {}, words(record.type)), h('span', {}, note)),
  );
}
