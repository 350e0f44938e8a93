import { get } from './api.js';
import { empty, h, keepInAddress, moveFocus, replace, setText } from './dom.js';
import { ago, integer, joined, moment, percent, siteHref, watts } from './format.js';
import { fractionGauge } from './tiles.js';

const pageSize = 50;
const refreshMs = 5_000;

/** Sites with their totals, a page at a time, found by name; and the regions that they lie in. */
export function sitesPage(root, query) {
  const search = h('input', {
    type: 'search',
    placeholder: 'Search site',
    'aria-label': 'Search site',
    spellcheck: 'false',
    autocomplete: 'off',
  });
  search.value = query.get('search') ?? '';
  const sites = placeTable({
    title: 'Sites',
    tools: [search],
    head: ['Site', 'Grid', 'Members', 'Power', 'Charge', 'Faults', 'As of'],
    row: siteRow,
    // With a text, even an empty one, the list is in order of names.
    path: () => `/v1/sites?${new URLSearchParams({ search: search.value.trim() })}`,
    whenEmpty: () =>
      search.value.trim()
        ? empty('Nothing matches', 'Look for another part of the name.')
        : empty('No sites yet', 'An asset has one from its first record `installed` with a siteId.'),
  });
  const regions = placeTable({
    title: 'Regions',
    tools: [],
    head: ['Region', 'Grid', 'Members', 'Power', 'Charge', 'Sites', 'As of'],
    row: regionRow,
    path: () => '/v1/regions?',
    hiddenWhenEmpty: true,
  });
  let typing;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      keepInAddress('/sites', { search: search.value.trim() });
      sites.restart();
    }, 200);
  });
  replace(root, h('h1.visually-hidden', {}, 'Sites'), sites.element, regions.element);
  return () => {
    clearTimeout(typing);
    sites.end();
    regions.end();
  };
}

/** A table of a list that comes a page at a time, read again every few seconds; a row that stays is kept. */
function placeTable({ title, tools, head, row, path, whenEmpty = () => [], hiddenWhenEmpty = false }) {
  const body = h('tbody', { onkeydown: moveFocus });
  const notice = h('div.notice');
  const pager = h('div.pager');
  const element = h(
    'section.card.assets.places',
    { 'aria-label': title, hidden: hiddenWhenEmpty },
    h('div.filters', {}, h('h2', {}, title), h('span.spacer'), tools),
    h('div.scroll', {}, h('table', {}, tableHead(head), body)),
    notice,
    pager,
  );
  let rows = new Map();
  let trail = [''];
  let request = new AbortController();
  let timer;

  async function load() {
    clearTimeout(timer);
    request.abort();
    request = new AbortController();
    const cursor = trail.at(-1);
    const page = new URLSearchParams({ limit: String(pageSize), ...(cursor ? { cursor } : {}) });
    try {
      show(await get(`${path()}&${page}`, request.signal));
    } catch (error) {
      if (error.name === 'AbortError') return;
      if (rows.size === 0) {
        element.hidden = false;
        replace(notice, empty('The list could not be read', error.message));
      }
    }
    timer = setTimeout(load, document.hidden ? refreshMs * 5 : refreshMs);
  }
  function show({ items, cursor }) {
    const before = rows;
    rows = new Map();
    for (const item of items) {
      const key = item.siteId ?? item.region;
      const one = before.get(key) ?? row(item);
      one.show(item);
      rows.set(key, one);
    }
    const isSame = [...rows.keys()].join('\n') === [...before.keys()].join('\n');
    if (!isSame || rows.size === 0) replace(body, ...[...rows.values()].map((one) => one.element));
    replace(notice, items.length > 0 ? [] : whenEmpty());
    element.hidden = hiddenWhenEmpty && items.length === 0 && trail.length === 1;
    showPager(items.length, cursor);
  }
  function showPager(count, cursor) {
    const first = (trail.length - 1) * pageSize + 1;
    const turn = (to) => () => {
      trail = to;
      void load();
    };
    const key = `${first}/${count}/${cursor}`;
    if (pager.dataset.shown === key) return;
    pager.dataset.shown = key;
    replace(
      pager,
      h('span', {}, count > 0 ? `${integer(first)}–${integer(first + count - 1)}` : ''),
      h('button', { type: 'button', disabled: trail.length === 1, onclick: turn(trail.slice(0, -1)) }, 'Previous'),
      h('button', { type: 'button', disabled: cursor === null, onclick: turn([...trail, cursor]) }, 'Next'),
    );
  }
  void load();
  return {
    element,
    restart() {
      trail = [''];
      void load();
    },
    end() {
      clearTimeout(timer);
      request.abort();
    },
  };
}

const numeric = new Set(['Members', 'Power', 'Charge', 'Faults', 'Sites']);
const tableHead = (names) =>
  h(
    'thead',
    {},
    h(
      'tr',
      {},
      names.map((name) => h(numeric.has(name) ? 'th.num' : 'th', { scope: 'col' }, name)),
    ),
  );

/** Cells that sites and regions have alike. */
function totalCells() {
  const members = h('td.num');
  const power = h('td.num');
  const gauge = fractionGauge();
  const charge = h('span');
  const seen = h('td.dim');
  return {
    members,
    power,
    charge: h('td.num', {}, gauge.element, charge),
    seen,
    show({ totals, asOf }) {
      setText(members, `${integer(totals.membersFresh)} / ${integer(totals.membersExpected)}`);
      members.dataset.tone = totals.membersFresh < totals.membersExpected ? 'away' : 'idle';
      members.title = 'Fresh, of those that belong there';
      setText(power, joined(watts(totals.powerW)));
      power.title = boundsText(totals);
      gauge.show(totals.soc);
      setText(charge, typeof totals.soc === 'number' ? percent(totals.soc) : '');
      setText(seen, ago(asOf));
      seen.title = asOf ? moment(asOf) : '';
    },
  };
}

/** Between what the power lies while some do not tell; empty where all do. */
export function boundsText({ powerMinW, powerMaxW, membersFresh, membersExpected }) {
  if (membersFresh === membersExpected) return '';
  if (powerMinW === null || powerMaxW === null) return 'unbounded: a silent member has no rating';
  return `${joined(watts(powerMinW))} to ${joined(watts(powerMaxW))} with the silent ones`;
}

function siteRow(item) {
  const link = h('a.serial', { href: siteHref(item.siteId) }, item.siteId);
  const grid = h('span.status', {}, h('i'), h('span'));
  const faults = h('td.num');
  const cells = totalCells();
  return {
    element: h(
      'tr',
      { onclick: (event) => event.target.closest('a') === null && String(getSelection()) === '' && link.click() },
      h('td', {}, link),
      h('td', {}, grid),
      cells.members,
      cells.power,
      cells.charge,
      faults,
      cells.seen,
    ),
    show(site) {
      const { text, tone } = standing(site);
      grid.dataset.tone = tone;
      setText(grid.lastChild, text);
      setText(faults, site.totals.faultsOpen ? integer(site.totals.faultsOpen) : '');
      cells.show(site);
    },
  };
}

/** What matters most about a site, in words and with its colour. */
export function standing({ grid, gatewaySilentSince, slotConflicts, totals }) {
  if (grid === 'islanded') return { text: 'Islanded', tone: 'island' };
  if (gatewaySilentSince !== null) return { text: 'Gateway silent', tone: 'away' };
  if (totals.membersExpected > 0 && totals.membersFresh === 0) return { text: 'Silent', tone: 'away' };
  if (slotConflicts.length > 0) return { text: 'Slot conflict', tone: 'warn' };
  if (totals.faultsOpen > 0) return { text: 'Faulted', tone: 'bad' };
  return { text: 'On grid', tone: 'good' };
}

function regionRow(item) {
  const grid = h('span.status', {}, h('i'), h('span'));
  const sites = h('td.num');
  const cells = totalCells();
  return {
    element: h(
      'tr',
      {},
      h('td', {}, h('b', {}, item.region)),
      h('td', {}, grid),
      cells.members,
      cells.power,
      cells.charge,
      sites,
      cells.seen,
    ),
    show(region) {
      const lost = region.gridEvents.reduce((sum, one) => sum + (one.siteCount ?? 0), 0);
      grid.dataset.tone = lost > 0 ? 'island' : 'good';
      setText(grid.lastChild, lost > 0 ? `${integer(lost)} without grid` : 'On grid');
      setText(sites, integer(region.totals.sites));
      cells.show(region);
    },
  };
}
