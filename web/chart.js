import { post } from './api.js';
import { empty, h, replace, setText } from './dom.js';
import { joined, timeOfDay, wattHours } from './format.js';

const refreshMs = 30_000;
const barMs = 15 * 60_000;
const barsShown = 96;

const lastDay = (table, columns) => `select epoch_ms(event_time) as at, ${columns.join(', ')}, coverage
from ${table}
where serial = ? and event_time > (select max(event_time) from ${table} where serial = ?) - interval 24 hour
order by event_time`;

/**
 * Where a chart has its rows from: columns that go up and down from the line, with name and colour. The serial of a
 * site is its name; of the views, only the serial is looked up without reading all.
 */
function energyOf(table, serial, up, down) {
  const columns = [...up, ...down].map(({ column }) => column);
  return { statement: lastDay(table, columns), parameters: [serial, serial], up, down };
}
const bars = (column, name, colour) => ({ column, name, colour });

export const energyOfAsset = (serial) =>
  energyOf('energy_intervals_current', serial, [bars('out_wh', 'out', '--out')], [bars('in_wh', 'in', '--in')]);

/** What a site has up, what it does with it down. */
export const energyOfSite = (siteId) =>
  energyOf(
    'site_energy_intervals_current',
    siteId,
    [
      bars('solar_wh', 'solar', '--warn'),
      bars('battery_out_wh', 'from batteries', '--out'),
      bars('import_wh', 'from the grid', '--idle'),
    ],
    [
      bars('load_wh', 'used', '--work'),
      bars('battery_in_wh', 'into batteries', '--in'),
      bars('export_wh', 'to the grid', '--island'),
      bars('charging_wh', 'into vehicles', '--accent'),
    ],
  );

/** The last 24 hours of energy in intervals of 15 minutes, stacked up and down from a line. */
export function energyChart({ statement, parameters, up, down }, signal) {
  const canvas = h('canvas', { role: 'img', 'aria-label': 'Energy per 15 minutes' });
  const caption = h('p.caption', {}, '');
  const body = h('div.chart', {}, canvas);
  const legend = h('div.legend');
  let rows = [];
  let told = [];
  let timer;
  let hovered = -1;

  async function load() {
    try {
      const answer = await post('/v1/sql', { sql: statement, parameters, limit: 200 }, signal);
      rows = answer.rows.map((row) => ({
        at: Number(row.at),
        up: up.map(({ column }) => row[column] ?? 0),
        down: down.map(({ column }) => row[column] ?? 0),
        coverage: row.coverage ?? 0,
      }));
      told = [...up, ...down].filter(({ column }) => answer.rows.some((row) => row[column] > 0));
      showLegend(legend, told);
      if (rows.length === 0)
        replace(body, empty('No energy yet', 'Intervals appear when a quarter of an hour has passed.'));
      else if (canvas.parentNode !== body) replace(body, canvas);
      draw();
    } catch (error) {
      if (error.name === 'AbortError') return;
      if (rows.length === 0) replace(body, empty('The energy could not be read', error.message));
    }
    timer = setTimeout(load, refreshMs);
  }

  function draw() {
    if (rows.length === 0 || canvas.clientWidth === 0) return;
    const last = rows.at(-1).at;
    const first = last - (barsShown - 1) * barMs;
    paint(canvas, rows, { first, hovered, up, down });
    const row = rows.find((one) => Math.round((one.at - first) / barMs) === hovered);
    const of = (series, one) => one.up[up.indexOf(series)] ?? one.down[down.indexOf(series)];
    const said = (shown) =>
      (told.length > 0 ? told : up.slice(0, 1))
        .map((series) => `${joined(wattHours(shown.reduce((sum, one) => sum + of(series, one), 0)))} ${series.name}`)
        .join(', ');
    setText(
      caption,
      row === undefined
        ? said(rows)
        : `${timeOfDay(row.at).slice(0, 5)}: ${said([row])}, ${Math.round(row.coverage * 100)} % covered`,
    );
  }

  canvas.addEventListener('pointermove', ({ offsetX }) => {
    hovered = Math.floor(((offsetX - margin.left) / (canvas.clientWidth - margin.left - margin.right)) * barsShown);
    draw();
  });
  canvas.addEventListener('pointerleave', () => {
    hovered = -1;
    draw();
  });
  const size = new ResizeObserver(draw);
  size.observe(body);
  addEventListener('themechange', draw);
  void load();
  return {
    element: h(
      'section.card',
      { 'aria-label': 'Energy' },
      h('header', {}, h('h2', {}, 'Energy'), h('span.dim', {}, 'last 24 h, per 15 min')),
      legend,
      body,
      caption,
    ),
    end() {
      clearTimeout(timer);
      size.disconnect();
      removeEventListener('themechange', draw);
    },
  };
}

/** Two colours need no legend: the line says what goes where. */
function showLegend(element, told) {
  if (told.length < 3) {
    replace(element);
    return;
  }
  replace(
    element,
    told.map(({ name, colour }) => {
      const dot = h('i');
      dot.style.background = `var(${colour})`;
      return h('span.key', {}, dot, name);
    }),
  );
}

const margin = { left: 62, right: 6, top: 8, bottom: 22 };

function paint(canvas, rows, { first, hovered, up, down }) {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name).trim();
  const total = (values) => values.reduce((sum, value) => sum + value, 0);
  const most = Math.max(...rows.map((row) => total(row.down)), 0);
  const below = most > 0 ? niceCeiling(most) : 0;
  const highest = Math.max(...rows.map((row) => total(row.up)), below > 0 ? 0 : 1);
  const above = highest > 0 ? niceCeiling(highest) : 0;
  const scale = (height - margin.top - margin.bottom) / (above + below);
  const zero = margin.top + above * scale;
  const step = (width - margin.left - margin.right) / barsShown;

  context.font = '11px system-ui, sans-serif';
  context.fillStyle = colour('--dim');
  context.strokeStyle = colour('--line');
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const value of marksOf(above, below)) {
    const y = Math.round(zero - value * scale) + 0.5;
    context.beginPath();
    context.moveTo(margin.left, y);
    context.lineTo(width - margin.right, y);
    context.stroke();
    const isFree = value === 0 || Math.abs(y - zero) > 14;
    if (isFree) context.fillText(joined(wattHours(Math.abs(value))), margin.left - 6, y);
  }
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  for (let i = 0; i < barsShown; i++) {
    const at = new Date(first + i * barMs);
    if (at.getMinutes() === 0 && at.getHours() % 6 === 0) {
      context.fillText(timeOfDay(at).slice(0, 5), margin.left + i * step, height - 6);
    }
  }
  for (const row of rows) {
    const i = Math.round((row.at - first) / barMs);
    if (i < 0) continue;
    const x = margin.left + i * step + 0.5;
    const w = Math.max(1, step - 1.5);
    context.globalAlpha = i === hovered ? 1 : 0.35 + 0.5 * Math.min(1, row.coverage);
    let y = zero;
    for (const [s, value] of row.up.entries()) {
      context.fillStyle = colour(up[s].colour);
      y -= value * scale;
      bar(context, x, y, w, value * scale);
    }
    y = zero;
    for (const [s, value] of row.down.entries()) {
      context.fillStyle = colour(down[s].colour);
      bar(context, x, y, w, value * scale);
      y += value * scale;
    }
  }
  context.globalAlpha = 1;
}

/** Energies at which a line is drawn. */
function marksOf(above, below) {
  if (below === 0) return [above, above / 2, 0];
  return above === 0 ? [0, -below / 2, -below] : [above, 0, -below];
}

function bar(context, x, y, width, height) {
  if (height < 0.2) return;
  context.beginPath();
  context.roundRect(x, y, width, Math.max(height, 1), Math.min(1.5, width / 2));
  context.fill();
}

function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].find((factor) => factor * power >= value) * power;
}
