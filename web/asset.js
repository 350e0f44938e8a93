import { get } from './api.js';
import { energyChart, energyOfAsset } from './chart.js';
import { stateDiagram } from './diagram.js';
import { empty, h, replace, setText } from './dom.js';
import {
  ago,
  integer,
  joined,
  kindName,
  moment,
  percent,
  siteHref,
  span,
  tone,
  wattHours,
  watts,
  words,
} from './format.js';
import { kindCard } from './kinds.js';
import { tileRow } from './tiles.js';
import { lifecycleList, timeline } from './timeline.js';

/** One asset: what it does now, its machines, its energy, and what happened to it. */
export function assetPage(root, serial, live) {
  const request = new AbortController();
  const ends = [() => request.abort()];
  replace(root, h('p.loading', {}, 'Loading…'));
  start().catch((error) => {
    if (error.name === 'AbortError') return;
    const title = error.status === 404 ? 'No such asset' : 'The asset could not be read';
    replace(root, h('a.back', { href: '#/' }, '← Fleet'), empty(title, error.status === 404 ? serial : error.message));
  });

  async function start() {
    const path = `/v1/assets/${encodeURIComponent(serial)}`;
    const [view, machines] = await Promise.all([get(path, request.signal), get('/v1/machines', request.signal)]);
    const machine = machines.items.find((one) => one.kind === view.kind);
    const head = header(view);
    const tiles = liveTiles();
    const diagram = diagramCard(machine);
    const facts = timeline(serial, request.signal);
    const chart = energyChart(energyOfAsset(serial), request.signal);
    const own = kindCard(view.kind, serial, request.signal);
    const life = lifecycleList(serial, request.signal);
    const values = valueTable();
    ends.push(chart.end, facts.end, () => own?.end());
    replace(
      root,
      h('a.back', { href: '#/' }, '← Fleet'),
      head.element,
      tiles.element,
      own?.element ?? [],
      h('div.columns', {}, diagram.element, chart.element),
      h('div.columns', {}, facts.element, h('div.stack', {}, life.element, values.element)),
    );
    let document;
    const show = (next, revision) => {
      const before = document;
      document = next;
      head.show(document, revision);
      tiles.show(document);
      own?.show(document);
      diagram.show(document);
      values.show(document);
      if (before !== undefined && JSON.stringify(before.state) !== JSON.stringify(document.state)) facts.refreshSoon();
    };
    show(documentOf(view), view.revision);
    ends.push(
      live.subscribe({ ids: [serial] }, null, (_keys, items) => {
        const item = items.get(serial);
        if (item !== undefined) show(item.v, item.rev);
      }),
    );
    const clock = setInterval(() => {
      head.tick();
      diagram.tick();
    }, 1_000);
    ends.push(() => clearInterval(clock));
  }
  return () => {
    for (const end of ends) end();
  };
}

/** The answer of GET /v1/assets/{serial} in the shape that the live socket sends. */
function documentOf(view) {
  const pick = (object, read) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, read(value)]));
  const valid = Object.fromEntries(Object.entries(view.values).filter(([, held]) => held.valid));
  return {
    ...view,
    state: pick(view.regions, (region) => region.state),
    since: pick(view.regions, (region) => region.since),
    values: pick(valid, (held) => held.value),
  };
}

function header(view) {
  const status = h('span.status.big', {}, h('i'), h('span'));
  const place = h('span');
  const seen = h('span');
  const revision = h('span');
  let eventTime;
  const tick = () => {
    setText(seen, eventTime ? `Last reading ${ago(eventTime)}` : 'No reading yet');
    seen.title = eventTime ? moment(eventTime) : '';
  };
  return {
    element: h(
      'header.asset',
      {},
      h(
        'div',
        {},
        h('h1.serial', {}, view.serial),
        h('p.meta', {}, h('span', {}, kindName(view.kind)), place, seen, revision),
      ),
      status,
    ),
    show(document, rev) {
      status.dataset.tone = tone(document.status);
      setText(status.lastChild, words(document.status));
      showPlace(place, document);
      setText(revision, `Revision ${integer(rev)}`);
      eventTime = document.eventTime;
      tick();
    },
    tick,
  };
}

/** The site as a link, made anew only when the asset has moved. */
function showPlace(element, { siteId, slot }) {
  const key = `${siteId ?? ''}\n${slot ?? ''}`;
  if (element.dataset.place === key) return;
  element.dataset.place = key;
  const link = siteId
    ? ['Site ', h('a', { href: siteHref(siteId) }, siteId), slot ? `, ${slot}` : '']
    : 'No site known';
  replace(element, link);
}

function liveTiles() {
  const { element, has, tile } = tileRow('Live values');
  return {
    element,
    show({ values = {}, energy, derates = [], counts }) {
      if (typeof values.powerW === 'number') {
        const direction = values.powerW > 0 ? 'delivering' : values.powerW < 0 ? 'drawing' : 'no flow';
        tile('power', 'Power').show(watts(Math.abs(values.powerW)), direction);
      }
      if (typeof values.soc === 'number') {
        const rest =
          typeof values.energyRemainingWh === 'number' ? `${joined(wattHours(values.energyRemainingWh))} left` : '';
        const [number, unit] = percent(values.soc).split(' ');
        tile('soc', 'Charge').show([number, unit], rest, values.soc);
      }
      if (typeof values.solarW === 'number') tile('solar', 'Solar').show(watts(values.solarW));
      if (typeof values.loadW === 'number') tile('load', 'Load').show(watts(values.loadW));
      if (typeof values.siteW === 'number') {
        tile('site', 'Grid').show(
          watts(Math.abs(values.siteW)),
          values.siteW > 0 ? 'importing' : values.siteW < 0 ? 'exporting' : 'no flow',
        );
      }
      if (energy)
        tile('energy', 'Energy, all time').show(
          ...(energy.outWh === 0 && energy.inWh > 0
            ? [wattHours(energy.inWh), 'in']
            : [wattHours(energy.outWh), `out · ${joined(wattHours(energy.inWh))} in`]),
        );
      if (typeof values.tempC === 'number') tile('temp', 'Temperature').show([values.tempC.toFixed(1), '°C']);
      if (derates.length > 0 || has('derates')) {
        tile('derates', 'Limited by').show(
          [derates.length === 0 ? 'nothing' : words(derates[0]), ''],
          derates.slice(1).map(words).join(', '),
        );
      }
      if (counts) {
        const note = `${integer(counts.duplicate)} duplicate · ${integer(counts.late)} late · ${integer(counts.invalid)} invalid`;
        tile('counts', 'Readings').show([integer(counts.applied), ''], note);
      }
    },
  };
}

function diagramCard(machine) {
  const regions = machine?.regions ?? [];
  const tabs = h('div.tabs', { role: 'tablist', 'aria-label': 'Regions' });
  const canvas = h('div.diagram');
  const caption = h('p.caption');
  const strip = h('dl.regions');
  let chosen = regions.find((region) => region.name === 'operation') ?? regions[0];
  let document = { state: {}, since: {} };
  let drawn;

  function choose(region) {
    chosen = region;
    drawn = stateDiagram(region);
    replace(canvas, drawn.element);
    for (const tab of tabs.children) tab.setAttribute('aria-selected', String(tab.dataset.region === region.name));
    update();
  }
  function update() {
    if (drawn === undefined) return;
    const state = document.state?.[chosen.name];
    drawn.light(state);
    const since = document.since?.[chosen.name];
    setText(
      caption,
      state
        ? `${words(state)}${since ? ` for ${span(Date.now() - Date.parse(since))}, since ${moment(since)}` : ''}`
        : 'Not known yet',
    );
  }
  for (const region of regions) {
    tabs.append(
      h(
        'button',
        { type: 'button', role: 'tab', 'data-region': region.name, onclick: () => choose(region) },
        words(region.name),
      ),
    );
  }
  tabs.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = regions[(regions.indexOf(chosen) + step + regions.length) % regions.length];
    choose(next);
    tabs.querySelector('[aria-selected=true]').focus();
  });
  if (chosen !== undefined) choose(chosen);
  const body = chosen === undefined ? empty('No diagram of this kind') : [tabs, canvas, caption];
  return {
    element: h(
      'section.card',
      { 'aria-label': 'State' },
      h('header', {}, h('h2', {}, 'State'), h('span.dim', {}, machine?.machine ?? '')),
      body,
      strip,
    ),
    show(next) {
      document = next;
      update();
      replace(
        strip,
        ...Object.entries(document.state ?? {}).map(([name, state]) =>
          h('div', {}, h('dt', {}, words(name)), h('dd', { 'data-tone': tone(state) }, h('i'), words(state))),
        ),
      );
    },
    tick: update,
  };
}

const shownUnits = [
  [/W$/, watts],
  [/Wh$/, wattHours],
];

function valueTable() {
  const body = h('tbody');
  return {
    element: h(
      'details.card',
      {},
      h('summary', {}, h('h2', {}, 'All values')),
      h(
        'div.scroll',
        {},
        h('table.compact', {}, h('thead', {}, h('tr', {}, h('th', {}, 'Field'), h('th.num', {}, 'Value'))), body),
      ),
    ),
    show({ values = {} }) {
      replace(
        body,
        ...Object.keys(values)
          .sort()
          .map((name) => h('tr', {}, h('td.mono', {}, name), h('td.num', {}, plain(name, values[name])))),
      );
    },
  };
}

function plain(name, value) {
  if (typeof value === 'number') {
    const scale = shownUnits.find(([pattern]) => pattern.test(name))?.[1];
    return scale ? joined(scale(value)) : value.toLocaleString('en', { maximumFractionDigits: 3 });
  }
  if (Array.isArray(value))
    return value.length === 0
      ? 'none'
      : value.map((one) => (typeof one === 'object' ? (one?.name ?? JSON.stringify(one)) : String(one))).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
