import { post } from './api.js';
import { empty, h, replace, setText } from './dom.js';
import { joined, moment, percent, recently, span, tone, wattHours, watts, words } from './format.js';

/** What only one kind has, in a card of its own; null for the others. */
export function kindCard(kind, serial, signal) {
  if (kind === 'megapack') return dispatchCard();
  if (kind === 'supercharger') return sessionCard(serial, signal);
  return null;
}

const cellVolts = (value) => `${value.toFixed(3)} V`;
const degrees = (value) => `${value.toFixed(1)} °C`;

/** A Megapack: what it is told to do against what it does, within what it can; then strings, cells and temperatures. */
function dispatchCard() {
  const bars = barChart();
  const list = detailList();
  const mode = h('span.dim');
  return {
    element: h(
      'section.card.kind-card',
      { 'aria-label': 'Dispatch' },
      h('header', {}, h('h2', {}, 'Dispatch'), mode),
      h('div.columns', {}, bars.element, list.element),
    ),
    show({ values = {} }) {
      const { setpointW, powerW, availableChargeW, availableDischargeW } = values;
      setText(mode, values.controlMode ? words(values.controlMode) : '');
      bars.show(
        [
          { name: 'Setpoint', value: setpointW, colour: 'island' },
          { name: 'Power', value: powerW, colour: powerW < 0 ? 'in' : 'out' },
        ],
        { least: numberOr(availableChargeW, 0) * -1, most: numberOr(availableDischargeW, 0) },
      );
      list.show([
        ['Off the setpoint', isNumbers(setpointW, powerW) && joined(watts(Math.abs(powerW - setpointW)))],
        ['Could give', isNumbers(availableDischargeW) && joined(watts(availableDischargeW))],
        ['Could take', isNumbers(availableChargeW) && joined(watts(availableChargeW))],
        [
          'Strings',
          isNumbers(values.stringsConnected) && `${values.stringsConnected} of ${values.stringsTotal ?? '–'}`,
        ],
        ['Cells', cellText(values)],
        ['Hottest module', isNumbers(values.moduleTempMaxC) && degrees(values.moduleTempMaxC)],
        ['Temperature', isNumbers(values.tempC) && degrees(values.tempC)],
        ['Health', isNumbers(values.soh) && percent(values.soh)],
        ['Battery', values.state && words(values.state)],
        ['Charge', values.chargeState && words(values.chargeState)],
        ['Frequency', isNumbers(values.frequencyHz) && `${values.frequencyHz.toFixed(3)} Hz`],
      ]);
    },
    end() {},
  };
}

function cellText({ cellVoltageMinV: low, cellVoltageMaxV: high }) {
  if (!isNumbers(low, high)) return false;
  return `${cellVolts(low)} to ${cellVolts(high)}, ${Math.round((high - low) * 1000)} mV apart`;
}

const sessionStatement = `select session_id, start_time, end_time, energy_wh, soc_from, soc_to, stopped_reason
from charging_sessions_current where serial = ? order by start_time desc limit 6`;

/** A stall: the session that runs, asked for, offered and delivered power; then the last sessions. */
function sessionCard(serial, signal) {
  const bars = barChart();
  const list = detailList();
  const state = h('span.status', {}, h('i'), h('span'));
  const body = h('tbody');
  const sessions = h('div.scroll');
  const head = ['Start', 'Took', 'Energy', 'Charge', 'Ended by'];
  const table = h(
    'table.compact',
    {},
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        head.map((name, i) => h(i > 0 && i < 4 ? 'th.num' : 'th', { scope: 'col' }, name)),
      ),
    ),
    body,
  );
  let timer;
  let open;
  let document = {};
  async function load() {
    try {
      const { rows } = await post('/v1/sql', { sql: sessionStatement, parameters: [serial], limit: 6 }, signal);
      open = rows.find((row) => row.end_time === null);
      replace(body, rows.map(sessionRow));
      replace(sessions, rows.length > 0 ? table : empty('No sessions yet'));
      show(document);
    } catch (error) {
      if (error.name === 'AbortError') return;
      if (body.children.length === 0) replace(sessions, empty('The sessions could not be read', error.message));
    }
    timer = setTimeout(load, 15_000);
  }
  function show(next) {
    document = next;
    const { values = {}, state: regions = {}, since = {} } = document;
    state.dataset.tone = tone(regions.session ?? '');
    const at = since.session ? ` for ${span(Date.now() - Date.parse(since.session))}` : '';
    setText(state.lastChild, regions.session ? `${words(regions.session)}${at}` : 'Not known yet');
    const { requestedW, offeredW, vehicleW, status, errorCode } = values;
    bars.show(
      [
        { name: 'Asked for', value: requestedW, colour: 'idle' },
        { name: 'Offered', value: offeredW, colour: 'island' },
        { name: 'Delivering', value: vehicleW, colour: 'in' },
      ],
      { least: 0, most: 0 },
    );
    list.show([
      ['Connector', status && words(status)],
      ['Error', errorCode && errorCode !== 'NoError' && words(errorCode)],
      ['Vehicle', isNumbers(values.vehicleSoc) && open && percent(values.vehicleSoc)],
      ['Session so far', open && joined(wattHours(open.energy_wh))],
      ['Session', open?.session_id],
      ['Ran without connection', values.offline === true && open && 'yes'],
    ]);
  }
  void load();
  return {
    element: h(
      'section.card.kind-card',
      { 'aria-label': 'Session' },
      h('header', {}, h('h2', {}, 'Session'), state),
      h('div.columns', {}, h('div.stack', {}, bars.element, list.element), sessions),
    ),
    show,
    end: () => clearTimeout(timer),
  };
}

function sessionRow(row) {
  const took = row.end_time
    ? Date.parse(row.end_time) - Date.parse(row.start_time)
    : Date.now() - Date.parse(row.start_time);
  const charge = isNumbers(row.soc_from, row.soc_to) ? `${percent(row.soc_from)} to ${percent(row.soc_to)}` : '–';
  return h(
    'tr',
    {},
    h('td', { title: moment(row.start_time) }, recently(row.start_time)),
    h('td.num', {}, span(took)),
    h('td.num', {}, joined(wattHours(row.energy_wh))),
    h('td.num', {}, charge),
    h('td', {}, row.end_time === null ? 'runs' : row.stopped_reason ? words(row.stopped_reason) : '–'),
  );
}

const isNumbers = (...values) => values.every((value) => typeof value === 'number');
const numberOr = (value, otherwise) => (typeof value === 'number' ? value : otherwise);

/** Bars of one scale from a common zero; `least` and `most` widen it to what is possible. */
function barChart() {
  const element = h('div.bars');
  const rows = new Map();
  const row = (name) => {
    if (!rows.has(name)) {
      const level = h('i');
      const value = h('span.num');
      const one = { level, value, track: h('span.track', {}, level) };
      rows.set(name, one);
      element.append(h('span.dim', {}, name), one.track, value);
    }
    return rows.get(name);
  };
  return {
    element,
    show(bars, { least, most }) {
      const known = bars.map(({ value }) => numberOr(value, 0));
      const low = Math.min(0, least, ...known);
      const high = Math.max(0, most, ...known);
      const share = (value) => (value / Math.max(high - low, 1)) * 100;
      for (const { name, value, colour } of bars) {
        const { level, value: text, track } = row(name);
        const of = numberOr(value, 0);
        track.style.setProperty('--zero', `${share(-low)}%`);
        level.dataset.tone = colour;
        level.style.left = `${share(Math.min(of, 0) - low)}%`;
        level.style.width = `${share(Math.abs(of))}%`;
        setText(text, joined(watts(value)));
      }
    },
  };
}

/** Names and values; those that are not known are left out. */
function detailList() {
  const element = h('dl.details');
  return {
    element,
    show(entries) {
      const known = entries.filter(([, value]) => value);
      const key = JSON.stringify(known);
      if (element.dataset.shown === key) return;
      element.dataset.shown = key;
      replace(
        element,
        known.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
      );
    },
  };
}
