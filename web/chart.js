import { post } from './api.js';
import { empty, h, replace, setText } from './dom.js';
import { joined, timeOfDay, wattHours } from './format.js';

const refreshMs = 30_000;
const barMs = 15 * 60_000;
const barsShown = 96;

const statement = `select epoch_ms(event_time) as at, in_wh, out_wh, coverage
from energy_intervals_current
where serial = ? and event_time > (select max(event_time) from energy_intervals_current where serial = ?) - interval 24 hour
order by event_time`;

/** The last 24 hours of energy in intervals of 15 minutes: out above the line, in below it. */
export function energyChart(serial, signal) {
  const canvas = h('canvas', { role: 'img', 'aria-label': 'Energy per 15 minutes' });
  const caption = h('p.caption', {}, '');
  const body = h('div.chart', {}, canvas);
  let rows = [];
  let timer;
  let hovered = -1;

  async function load() {
    try {
      const answer = await post('/v1/sql', { sql: statement, parameters: [serial, serial], limit: 200 }, signal);
      rows = answer.rows.map((row) => ({
        at: Number(row.at),
        inWh: row.in_wh ?? 0,
        outWh: row.out_wh ?? 0,
        coverage: row.coverage ?? 0,
      }));
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
    paint(canvas, rows, first, hovered);
    const row = rows.find((one) => Math.round((one.at - first) / barMs) === hovered);
    const sum = (read) => rows.reduce((total, one) => total + read(one), 0);
    setText(
      caption,
      row === undefined
        ? `${joined(wattHours(sum((one) => one.outWh)))} out, ${joined(wattHours(sum((one) => one.inWh)))} in`
        : `${timeOfDay(row.at).slice(0, 5)}: ${joined(wattHours(row.outWh))} out, ${joined(wattHours(row.inWh))} in, ${Math.round(row.coverage * 100)} % covered`,
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

const margin = { left: 62, right: 6, top: 8, bottom: 22 };

function paint(canvas, rows, first, hovered) {
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name).trim();
  const up = niceCeiling(Math.max(...rows.map((row) => row.outWh), 1));
  const down = Math.max(...rows.map((row) => row.inWh), 0);
  const below = down > 0 ? niceCeiling(down) : 0;
  const scale = (height - margin.top - margin.bottom) / (up + below);
  const zero = margin.top + up * scale;
  const step = (width - margin.left - margin.right) / barsShown;

  context.font = '11px system-ui, sans-serif';
  context.fillStyle = colour('--dim');
  context.strokeStyle = colour('--line');
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const value of below > 0 ? [up, 0, -below] : [up, up / 2, 0]) {
    const y = Math.round(zero - value * scale) + 0.5;
    context.beginPath();
    context.moveTo(margin.left, y);
    context.lineTo(width - margin.right, y);
    context.stroke();
    context.fillText(joined(wattHours(Math.abs(value))), margin.left - 6, y);
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
    context.fillStyle = colour('--out');
    bar(context, x, zero - row.outWh * scale, w, row.outWh * scale);
    context.fillStyle = colour('--in');
    bar(context, x, zero, w, row.inWh * scale);
  }
  context.globalAlpha = 1;
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
