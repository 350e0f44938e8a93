import { get, post } from './api.js';
import { energyChart, energyOfSite } from './chart.js';
import { empty, h, moveFocus, replace, setText } from './dom.js';
import {
  ago,
  assetHref,
  countOf,
  day,
  integer,
  joined,
  kindName,
  moment,
  percent,
  span,
  tone,
  wattHours,
  watts,
  words,
} from './format.js';
import { boundsText, standing } from './sites.js';
import { fractionGauge, tileRow } from './tiles.js';
import { eventItem } from './timeline.js';

const refreshMs = 5_000;
const rowsShown = 50;

/** One site: totals of its newest minute, its energy, what happened to it, its cabinets and its members. */
export function sitePage(root, siteId) {
  const request = new AbortController();
  const ends = [() => request.abort()];
  const path = `/v1/sites/${encodeURIComponent(siteId)}`;
  let timer;
  replace(root, h('p.loading', {}, 'Loading…'));
  start().catch((error) => {
    if (error.name === 'AbortError') return;
    const isUnknown = error.status === 404;
    replace(
      root,
      h('a.back', { href: '#/sites' }, '← Sites'),
      empty(isUnknown ? 'No such site' : 'The site could not be read', isUnknown ? siteId : error.message),
    );
  });

  async function start() {
    const site = await get(path, request.signal);
    const parts = [header(siteId), totalTiles(), cabinetCard(siteId, request.signal), memberCard()];
    const [head, tiles, cabinets, members] = parts;
    const chart = energyChart(energyOfSite(siteId), request.signal);
    const past = pastCard(siteId, request.signal);
    ends.push(chart.end, past.end);
    replace(
      root,
      h('a.back', { href: '#/sites' }, '← Sites'),
      head.element,
      tiles.element,
      h('div.columns', {}, chart.element, past.element),
      cabinets.element,
      members.element,
    );
    const show = (now) => {
      for (const part of parts) part.show(now);
    };
    const again = async () => {
      try {
        show(await get(path, request.signal));
      } catch (error) {
        // The connection mark in the header says it; what is shown stays.
        if (error.name === 'AbortError') return;
      }
      timer = setTimeout(again, document.hidden ? refreshMs * 5 : refreshMs);
    };
    show(site);
    timer = setTimeout(again, refreshMs);
  }
  return () => {
    clearTimeout(timer);
    for (const end of ends) end();
  };
}

function header(siteId) {
  const status = h('span.status.big', {}, h('i'), h('span'));
  const members = h('span');
  const kinds = h('span');
  const seen = h('span');
  return {
    element: h(
      'header.asset',
      {},
      h('div', {}, h('h1.serial', {}, siteId), h('p.meta', {}, kinds, members, seen)),
      status,
    ),
    show(site) {
      const { text, tone: colour } = standing(site);
      status.dataset.tone = colour;
      setText(status.lastChild, text);
      const counts = new Map();
      for (const { kind } of site.members) counts.set(kind, (counts.get(kind) ?? 0) + 1);
      setText(kinds, [...counts].map(([kind, n]) => countOf(n, kind)).join(', ') || 'Nobody stands here');
      setText(members, `${integer(site.totals.membersFresh)} of ${integer(site.totals.membersExpected)} fresh`);
      setText(seen, site.asOf ? `As of ${ago(site.asOf)}` : 'No reading yet');
      seen.title = site.asOf ? moment(site.asOf) : '';
    },
  };
}

function totalTiles() {
  const { element, has, tile } = tileRow('Totals');
  const isTold = (value, name) => typeof value === 'number' || has(name);
  return {
    element,
    show({ totals }) {
      const flow = (value, out, into) => (value > 0 ? out : value < 0 ? into : 'no flow');
      const note = boundsText(totals) || flow(totals.powerW, 'delivering', 'drawing');
      tile('power', 'Power').show(watts(Math.abs(totals.powerW ?? Number.NaN)), note);
      if (isTold(totals.soc, 'soc')) {
        const [number, unit] = percent(totals.soc).split(' ');
        const of = `${joined(wattHours(totals.energyRemainingWh))} of ${joined(wattHours(totals.capacityWh))}`;
        const isSpread = totals.socMax - totals.socMin > 0.01;
        const spread = isSpread ? ` · ${percent(totals.socMin)} to ${percent(totals.socMax)}` : '';
        tile('soc', 'Charge').show([number, unit], of + spread, totals.soc);
      }
      if (isTold(totals.batteryW, 'battery'))
        tile('battery', 'Batteries').show(
          watts(Math.abs(totals.batteryW)),
          flow(totals.batteryW, 'discharging', 'charging'),
        );
      if (isTold(totals.setpointW, 'setpoint'))
        tile('setpoint', 'Told to do').show(
          watts(Math.abs(totals.setpointW)),
          flow(totals.setpointW, 'discharge', 'charge'),
        );
      if (isTold(totals.availableDischargeW, 'available'))
        tile('available', 'Could give').show(
          watts(totals.availableDischargeW),
          `could take ${joined(watts(totals.availableChargeW))}`,
        );
      if (isTold(totals.solarW, 'solar')) tile('solar', 'Solar').show(watts(totals.solarW));
      if (isTold(totals.loadW, 'load')) tile('load', 'Load').show(watts(totals.loadW));
      if (isTold(totals.gridW, 'grid'))
        tile('grid', 'Grid').show(watts(Math.abs(totals.gridW)), flow(totals.gridW, 'importing', 'exporting'));
      if (isTold(totals.chargingW, 'charging')) tile('charging', 'Into vehicles').show(watts(totals.chargingW));
      tile('members', 'Members').show(
        [`${integer(totals.membersFresh)} / ${integer(totals.membersExpected)}`, ''],
        totals.oldestAgeMs === null ? 'fresh' : `fresh · oldest ${span(totals.oldestAgeMs)}`,
      );
      if (totals.faultsOpen > 0 || has('faults')) tile('faults', 'Open faults').show([integer(totals.faultsOpen), '']);
    },
  };
}

const pastTables = [
  ['site_grid_event', 'from_time, to_time, gateway, intentional, energy_served_wh', 'serial = ?'],
  ['data_gap', 'from_time, to_time', "serial = ? and class = 'gateway'"],
  ['slot_conflict', 'from_time, to_time, slot, holder, claimant', 'serial = ?'],
  ['underperformance', 'day as from_time, member_serial, yield_ratio, lost_wh', 'serial = ?'],
];
const pastStatement = (type, columns, where) =>
  `select ${columns} from ${type}s_current where ${where} order by 1 desc limit 50`;

const until = (row) =>
  row.to_time
    ? `${span(Date.parse(row.to_time) - Date.parse(row.from_time))}, until ${moment(row.to_time)}`
    : 'still open';
const pastTitles = {
  site_grid_event: (row) => ({
    title: row.intentional ? 'Island, wanted' : 'Grid lost',
    note: [until(row), row.energy_served_wh && `${joined(wattHours(row.energy_served_wh))} served`, row.gateway],
    mood: 'island',
  }),
  data_gap: (row) => ({ title: 'Gateway gap: everybody was silent', note: [until(row)], mood: 'away' }),
  slot_conflict: (row) => ({
    title: `Two assets in slot ${row.slot}`,
    note: [`${row.holder} held it, ${row.claimant} was installed`, until(row)],
    mood: 'warn',
  }),
  underperformance: (row) => ({
    title: `${row.member_serial} yielded ${percent(row.yield_ratio)} of its peers`,
    note: [`${joined(wattHours(row.lost_wh))} less in a day`],
    mood: 'warn',
  }),
};

/** Times away from the grid, silences of the gateway, conflicts, weak inverters; newest first. */
function pastCard(siteId, signal) {
  const list = h('ol.timeline', {}, h('li.dim', {}, 'Loading…'));
  let isShown = false;
  let timer;
  async function load() {
    try {
      const answers = await Promise.all(
        pastTables.map(([type, columns, where]) =>
          post('/v1/sql', { sql: pastStatement(type, columns, where), parameters: [siteId], limit: 50 }, signal),
        ),
      );
      show(answers.flatMap(({ rows }, i) => rows.map((row) => ({ row, type: pastTables[i][0] }))));
    } catch (error) {
      if (error.name === 'AbortError') return;
      if (!isShown) replace(list, h('li', {}, empty('The events could not be read', error.message)));
    }
    timer = setTimeout(load, 30_000);
  }
  function show(events) {
    isShown = true;
    events.sort((a, b) => Date.parse(b.row.from_time) - Date.parse(a.row.from_time));
    const items = events.map(({ row, type }) => {
      const { title, note, mood } = pastTitles[type](row);
      return eventItem({
        at: row.from_time,
        shown: day(row.from_time),
        title,
        note: note.filter(Boolean).join(' · '),
        mood,
      });
    });
    replace(
      list,
      items.length > 0
        ? items
        : h('li', {}, empty('Nothing yet', 'Grid events, gaps of the gateway and conflicts will stand here.')),
    );
  }
  void load();
  return {
    element: h('section.card', { 'aria-label': 'Events' }, h('header', {}, h('h2', {}, 'Events')), list),
    end: () => clearTimeout(timer),
  };
}

const cabinetsShown = 24;

/** Power cabinets of a charging site: what their stalls are offered against what they can give. */
function cabinetCard(siteId, signal) {
  const body = h('tbody');
  const note = h('p.caption');
  const head = ['Cabinet', 'State', 'Stalls', 'Drawn', 'Offered', 'Asked for', 'Limit'];
  const element = h(
    'section.card',
    { 'aria-label': 'Cabinets', hidden: true },
    h('header', {}, h('h2', {}, 'Cabinets')),
    h(
      'div.scroll',
      {},
      h(
        'table.compact',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            head.map((name, i) => h(i > 1 ? 'th.num' : 'th', { scope: 'col' }, name)),
          ),
        ),
        body,
      ),
    ),
    note,
  );
  const row = (one) => {
    const marks = [one.inhibited && 'holds its stalls back', one.overallocated && 'offered more than it can give'];
    const text = [words(one.state), ...marks.filter(Boolean)].join(', ');
    const colour = one.state === 'Faulted' ? 'bad' : one.overallocated ? 'warn' : cabinetTones[one.state];
    return h(
      'tr',
      {},
      h('td', {}, one.cabinet.slice(siteId.length + 1)),
      h('td', {}, h('span.status', { 'data-tone': colour }, h('i'), text)),
      h('td.num', {}, `${integer(one.stallsFresh)} / ${integer(one.stallsExpected)}`),
      h('td.num', {}, joined(watts(one.powerW === null ? null : Math.abs(one.powerW)))),
      h('td.num', {}, joined(watts(one.offeredW))),
      h('td.num', {}, joined(watts(one.requestedW))),
      h('td.num', {}, joined(watts(one.limitW))),
    );
  };
  async function read(names) {
    const asked = names.slice(0, cabinetsShown).map((name) =>
      get(`/v1/cabinets/${encodeURIComponent(siteId)}/${encodeURIComponent(name)}`, signal).catch((error) => {
        if (error.status === 404) return null;
        throw error;
      }),
    );
    const known = (await Promise.all(asked)).filter((one) => one !== null);
    element.hidden = known.length === 0;
    replace(body, known.map(row));
    setText(note, names.length > cabinetsShown ? `The first ${cabinetsShown} of ${integer(names.length)}` : '');
  }
  return {
    element,
    show({ members }) {
      const stalls = members.filter(({ kind, slot }) => kind === 'supercharger' && slot.includes('/'));
      const names = [...new Set(stalls.map(({ slot }) => slot.slice(0, slot.lastIndexOf('/'))))].sort();
      // What was read last stays when it cannot be read now.
      if (names.length > 0) read(names).catch(() => {});
    },
  };
}
const cabinetTones = { Off: 'off', Standby: 'idle', Supplying: 'in', Derated: 'warn' };

/** Who stands here: slot, state and newest values; of many, a page at a time. */
function memberCard() {
  const search = h('input', {
    type: 'search',
    placeholder: 'Search member',
    'aria-label': 'Search member',
    spellcheck: 'false',
    autocomplete: 'off',
  });
  const body = h('tbody', { onkeydown: moveFocus });
  const notice = h('div.notice');
  const pager = h('div.pager');
  const head = ['Slot', 'Asset', 'Kind', 'State', 'Power', 'Charge', 'Last reading'];
  let members = [];
  let rows = new Map();
  let from = 0;

  function update() {
    const wanted = search.value.trim().toLowerCase();
    const matching = members.filter((one) =>
      [one.serial, one.slot, one.kind, one.operation].some((text) => text?.toLowerCase().includes(wanted)),
    );
    from = Math.min(from, Math.max(0, Math.floor((matching.length - 1) / rowsShown) * rowsShown));
    showRows(matching.slice(from, from + rowsShown));
    replace(
      notice,
      matching.length > 0 ? [] : empty(members.length > 0 ? 'Nothing matches' : 'Nobody stands here now'),
    );
    showPager(matching.length);
  }
  function showRows(shown) {
    const before = rows;
    rows = new Map(shown.map((one) => [one.serial, before.get(one.serial) ?? memberRow(one)]));
    for (const one of shown) rows.get(one.serial).show(one);
    if ([...rows.keys()].join('\n') !== [...before.keys()].join('\n'))
      replace(body, ...[...rows.values()].map((row) => row.element));
  }
  function showPager(count) {
    const key = `${from}/${count}`;
    if (pager.dataset.shown === key) return;
    pager.dataset.shown = key;
    const turn = (to) => () => {
      from = to;
      update();
    };
    const last = Math.min(from + rowsShown, count);
    replace(
      pager,
      count <= rowsShown
        ? []
        : [
            h('span', {}, `${integer(from + 1)}–${integer(last)} of ${integer(count)}`),
            h('button', { type: 'button', disabled: from === 0, onclick: turn(from - rowsShown) }, 'Previous'),
            h('button', { type: 'button', disabled: last === count, onclick: turn(from + rowsShown) }, 'Next'),
          ],
    );
  }
  search.addEventListener('input', () => {
    from = 0;
    update();
  });
  return {
    element: h(
      'section.card.assets.members',
      { 'aria-label': 'Members' },
      h('div.filters', {}, h('h2', {}, 'Members'), h('span.spacer'), search),
      h(
        'div.scroll',
        {},
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              head.map((name, i) => h(i === 4 || i === 5 ? 'th.num' : 'th', { scope: 'col' }, name)),
            ),
          ),
          body,
        ),
      ),
      notice,
      pager,
    ),
    show(site) {
      members = site.members.toSorted((a, b) => inOrder.compare(a.slot, b.slot) || inOrder.compare(a.serial, b.serial));
      update();
    },
  };
}
const inOrder = new Intl.Collator('en', { numeric: true });

function memberRow({ serial, kind }) {
  const slot = h('td');
  const link = h('a.serial', { href: assetHref(serial) }, serial);
  const state = h('span.status', {}, h('i'), h('span'));
  const power = h('td.num');
  const gauge = fractionGauge();
  const charge = h('span');
  const seen = h('td.dim');
  return {
    element: h(
      'tr',
      { onclick: (event) => event.target.closest('a') === null && String(getSelection()) === '' && link.click() },
      slot,
      h('td', {}, link),
      h('td', {}, kindName(kind)),
      h('td', {}, state),
      power,
      h('td.num', {}, gauge.element, charge),
      seen,
    ),
    show(one) {
      setText(slot, one.slot);
      state.dataset.tone = one.fresh ? tone(one.operation ?? '') : 'away';
      setText(state.lastChild, one.operation ? words(one.operation) : 'Not known');
      setText(power, joined(watts(one.powerW)));
      gauge.show(one.soc);
      setText(charge, typeof one.soc === 'number' ? percent(one.soc) : '');
      setText(seen, one.lastDeviceTime === null ? 'never' : `${ago(one.lastDeviceTime)}${one.fresh ? '' : ', silent'}`);
      seen.title = one.lastDeviceTime ? moment(one.lastDeviceTime) : 'It told nothing since it stands here';
    },
  };
}
