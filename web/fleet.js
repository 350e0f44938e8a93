import { get } from './api.js';
import { empty, flash, h, moveFocus, replace, setText } from './dom.js';
import {
  ago,
  assetHref,
  integer,
  joined,
  kindName,
  percent,
  siteHref,
  tone,
  wattHours,
  watts,
  words,
} from './format.js';

const pageSize = 50;
const refreshMs = 2_000;
const liveFields = ['status', 'values.powerW', 'values.soc', 'eventTime'];

/** The fleet: totals, kinds, and a live table of assets. */
export function fleetPage(root, live) {
  const overview = h('section.tiles', { 'aria-label': 'Fleet now' });
  const kinds = h('section.kinds', { 'aria-label': 'Kinds' });
  const table = assetTable(live);
  replace(root, h('h1.visually-hidden', {}, 'Fleet'), overview, kinds, table.element);
  const tiles = overviewTiles(overview);
  let timer;
  let stopped = false;

  async function refresh() {
    try {
      const fleet = await get('/v1/fleet');
      if (stopped) return;
      tiles.show(fleet);
      showKinds(kinds, fleet, table);
      table.offer(fleet);
    } catch {
      // The connection mark in the header says it; what is shown stays.
    }
    if (!stopped) timer = setTimeout(refresh, document.hidden ? refreshMs * 5 : refreshMs);
  }
  void refresh();
  return () => {
    stopped = true;
    clearTimeout(timer);
    table.end();
  };
}

function overviewTiles(root) {
  const tile = (label) => {
    const value = h('span.value', {}, '–');
    const unit = h('span.unit');
    const note = h('span.note');
    root.append(h('div.tile', {}, h('span.label', {}, label), h('span.figure', {}, value, unit), note));
    return (number, unitText, noteText) => {
      setText(value, number);
      setText(unit, unitText);
      setText(note, noteText);
    };
  };
  const assets = tile('Assets');
  const power = tile('Power now');
  const energy = tile('Energy today');
  const attention = tile('Need attention');
  return {
    show(fleet) {
      const all = Object.values(fleet.kinds);
      const sum = (read) => all.reduce((total, kind) => total + read(kind), 0);
      const count = (wanted) =>
        sum((kind) =>
          Object.entries(kind.status).reduce((total, [status, n]) => total + (wanted.has(tone(status)) ? n : 0), 0),
        );
      assets(integer(fleet.assets), '', all.length === 1 ? '1 kind' : `${all.length} kinds`);
      const net = sum((kind) => kind.powerW);
      power(...watts(Math.abs(net)), net >= 0 ? 'delivered, net' : 'drawn, net');
      energy(
        ...wattHours(sum((kind) => kind.energyTodayOutWh)),
        `out · ${joined(wattHours(sum((kind) => kind.energyTodayInWh)))} in`,
      );
      const faulted = count(new Set(['bad']));
      const away = count(new Set(['away']));
      attention(integer(faulted + away), '', `${integer(faulted)} faulted · ${integer(away)} offline`);
    },
  };
}

function showKinds(root, fleet, table) {
  const entries = Object.entries(fleet.kinds).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) {
    replace(
      root,
      empty('No assets yet', 'They appear with their first record: POST /v1/telemetry, or gridfold ingest FILE.'),
    );
    return;
  }
  replace(root, ...entries.map(([kind, sums]) => kindCard(kind, sums, table)));
}

function kindCard(kind, sums, table) {
  const shares = Object.entries(sums.status).sort((a, b) => b[1] - a[1]);
  const bar = h('div.bar', {
    role: 'img',
    'aria-label': shares.map(([status, n]) => `${n} ${words(status)}`).join(', '),
  });
  for (const [status, n] of shares) {
    const part = h('i', { 'data-tone': tone(status), title: `${words(status)}: ${n}` });
    part.style.flexGrow = String(n);
    bar.append(part);
  }
  const legend = shares.map(([status, n]) =>
    h(
      'button.chip',
      { type: 'button', 'data-tone': tone(status), onclick: () => table.filter({ kind, status }) },
      h('i'),
      words(status),
      h('b', {}, integer(n)),
    ),
  );
  const power = watts(Math.abs(sums.powerW));
  return h(
    'article.card.kind',
    {},
    h(
      'header',
      {},
      h(
        'h2',
        {},
        h('button.plain', { type: 'button', onclick: () => table.filter({ kind, status: '' }) }, kindName(kind)),
      ),
      h('span.count', {}, integer(sums.assets)),
    ),
    h(
      'dl',
      {},
      h('div', {}, h('dt', {}, sums.powerW < 0 ? 'Drawing' : 'Delivering'), h('dd', {}, joined(power))),
      h('div', {}, h('dt', {}, 'Out today'), h('dd', {}, joined(wattHours(sums.energyTodayOutWh)))),
      h('div', {}, h('dt', {}, 'In today'), h('dd', {}, joined(wattHours(sums.energyTodayInWh)))),
    ),
    bar,
    h('div.legend', {}, legend),
  );
}

function assetTable(live) {
  const search = h('input', {
    type: 'search',
    placeholder: 'Search serial',
    'aria-label': 'Search serial',
    spellcheck: 'false',
    autocomplete: 'off',
  });
  const kind = h('select', { 'aria-label': 'Kind' });
  const status = h('select', { 'aria-label': 'Status' });
  const body = h('tbody');
  const more = h('div.pager');
  const notice = h('div.notice');
  const rows = new Map();
  let trail = [undefined];
  let endLive = () => {};
  let request = new AbortController();
  let typing;
  options(kind, [['', 'All kinds']]);
  options(status, [['', 'Any status']]);

  async function load() {
    request.abort();
    request = new AbortController();
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (kind.value) query.set('kind', kind.value);
    if (status.value) query.set('status', status.value);
    const wanted = search.value.trim();
    if (wanted) query.set('filter', `like(serial,${JSON.stringify(`*${wanted}*`)})`);
    const cursor = trail.at(-1);
    if (cursor) query.set('cursor', cursor);
    try {
      show(await get(`/v1/assets?${query}`, request.signal));
    } catch (error) {
      if (error.name !== 'AbortError') replace(notice, empty('The list could not be read', error.message));
    }
  }

  function show(page) {
    endLive();
    rows.clear();
    for (const item of page.items) rows.set(item.serial, assetRow(item));
    replace(body, ...[...rows.values()].map((row) => row.element));
    const isFiltered = search.value || kind.value || status.value;
    replace(
      notice,
      page.items.length > 0 ? [] : isFiltered ? empty('Nothing matches', 'Widen the filter.') : empty('No assets yet'),
    );
    replace(
      more,
      h(
        'span',
        {},
        page.items.length > 0
          ? `${integer((trail.length - 1) * pageSize + 1)}–${integer((trail.length - 1) * pageSize + page.items.length)}`
          : '',
      ),
      h('button', { type: 'button', disabled: trail.length === 1, onclick: back }, 'Previous'),
      h('button', { type: 'button', disabled: page.cursor === null, onclick: () => forward(page.cursor) }, 'Next'),
    );
    if (page.items.length > 0) {
      endLive = live.subscribe({ ids: [...rows.keys()] }, liveFields, (keys, items) => {
        for (const key of keys ?? rows.keys()) rows.get(key)?.update(items.get(key)?.v);
      });
    } else endLive = () => {};
  }

  function back() {
    trail = trail.slice(0, -1);
    void load();
  }
  function forward(cursor) {
    trail = [...trail, cursor];
    void load();
  }
  function restart() {
    trail = [undefined];
    void load();
  }
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(restart, 200);
  });
  kind.addEventListener('change', restart);
  status.addEventListener('change', restart);
  body.addEventListener('keydown', moveFocus);
  const clock = setInterval(() => {
    for (const row of rows.values()) row.tick();
  }, 5_000);
  void load();

  const head = ['Serial', 'Kind', 'Status', 'Site', 'Power', 'Charge', 'Last reading'];
  return {
    element: h(
      'section.card.assets',
      { 'aria-label': 'Assets' },
      h('div.filters', {}, h('h2', {}, 'Assets'), h('span.spacer'), search, kind, status),
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
      more,
    ),
    filter(to) {
      options(status, [['', 'Any status'], ...(to.status ? [[to.status, words(to.status)]] : [])]);
      kind.value = to.kind;
      status.value = to.status;
      restart();
      search.closest('section').scrollIntoView({ behavior: 'smooth', block: 'start' });
    },
    offer(fleet) {
      const known = Object.keys(fleet.kinds).sort();
      const all = new Set(
        known
          .filter((name) => !kind.value || name === kind.value)
          .flatMap((name) => Object.keys(fleet.kinds[name].status)),
      );
      if (status.value) all.add(status.value);
      options(kind, [['', 'All kinds'], ...known.map((name) => [name, kindName(name)])]);
      options(status, [['', 'Any status'], ...[...all].sort().map((name) => [name, words(name)])]);
      if (rows.size === 0 && fleet.assets > 0 && !search.value && !kind.value && !status.value) void load();
    },
    end() {
      request.abort();
      clearTimeout(typing);
      clearInterval(clock);
      endLive();
    },
  };
}

/** Keeps the choice; does nothing when the options are the same, so that an open list stays open. */
function options(select, wanted) {
  const key = JSON.stringify(wanted);
  if (select.dataset.options === key) return;
  const { value } = select;
  select.dataset.options = key;
  replace(select, ...wanted.map(([name, text]) => h('option', { value: name }, text)));
  select.value = value;
  if (select.selectedIndex < 0) select.value = '';
}

function assetRow(item) {
  const link = h('a.serial', { href: assetHref(item.serial) }, item.serial);
  const dot = h('span.status', {}, h('i'), h('span'));
  const power = h('td.num');
  const charge = h('span');
  const level = h('i');
  const gauge = h('span.gauge', {}, level);
  const seen = h('td.dim');
  const element = h(
    'tr',
    { onclick: (event) => event.target.closest('a') === null && String(getSelection()) === '' && link.click() },
    h('td', {}, link),
    h('td', {}, kindName(item.kind)),
    h('td', {}, dot),
    h('td.dim', {}, item.siteId ? h('a.dim', { href: siteHref(item.siteId) }, item.siteId) : '–'),
    power,
    h('td.num', {}, gauge, charge),
    seen,
  );
  let shown;
  const show = (document, isNew) => {
    const { status, values = {}, eventTime } = document;
    dot.dataset.tone = tone(status);
    setText(dot.lastChild, words(status));
    setText(power, joined(watts(values.powerW)));
    const soc = values.soc;
    gauge.hidden = typeof soc !== 'number';
    if (typeof soc === 'number') level.style.width = `${Math.max(0, Math.min(1, soc)) * 100}%`;
    setText(charge, typeof soc === 'number' ? percent(soc) : '');
    setText(seen, ago(eventTime));
    if (!isNew && shown !== undefined && shown.status !== status) flash(element);
    shown = document;
  };
  const plain = Object.fromEntries(
    Object.entries(item.values)
      .filter(([, held]) => held.valid)
      .map(([name, held]) => [name, held.value]),
  );
  show({ status: item.status, values: plain, eventTime: item.eventTime }, true);
  return {
    element,
    update: (document) => document !== undefined && show(document, false),
    tick: () => setText(seen, ago(shown.eventTime)),
  };
}
