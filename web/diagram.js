import { svg } from './dom.js';
import { words } from './format.js';

const width = 520;
const height = 340;
const nodeHeight = 30;

/**
 * A region's states on an ellipse, transitions as chords bent towards the middle. `light` marks the current state and
 * the ways that lead out of it.
 */
export function stateDiagram(region) {
  const nodes = place(region);
  const edges = unite(region.transitions, nodes);
  const root = svg('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-label': `States: ${region.states.map(words).join(', ')}`,
  });
  root.append(arrowHead());
  const lines = edges.map((edge) => ({ ...edge, element: line(edge, nodes) }));
  const boxes = new Map([...nodes].map(([state, node]) => [state, box(state, node, state === region.initial)]));
  root.append(svg('g', {}, ...lines.map((one) => one.element)), svg('g', {}, ...boxes.values()));
  return {
    element: root,
    light(current) {
      for (const [state, element] of boxes) element.classList.toggle('on', state === current);
      for (const { from, to, both, element } of lines) {
        element.classList.toggle('out', from === current || (both && to === current));
      }
    },
  };
}

function place({ states, initial }) {
  const nodes = new Map();
  const across = width / 2 - 66;
  const down = height / 2 - 26;
  states.forEach((state, i) => {
    const angle = -Math.PI / 2 + (2 * Math.PI * i) / states.length;
    const single = states.length === 1;
    nodes.set(state, {
      x: width / 2 + (single ? 0 : across * Math.cos(angle)),
      y: height / 2 + (single ? 0 : down * Math.sin(angle)),
      w: Math.max(58, words(state).length * 7.1 + 24) + (state === initial ? 12 : 0),
    });
  });
  return nodes;
}

/** One line per pair of states, with the events of both directions. */
function unite(transitions, nodes) {
  const edges = new Map();
  for (const { from, to, event } of transitions) {
    if (from === to || !nodes.has(from) || !nodes.has(to)) continue;
    const forward = edges.get(`${from}\n${to}`);
    const backward = edges.get(`${to}\n${from}`);
    if (forward !== undefined) forward.events.push(event);
    else if (backward !== undefined) {
      backward.both = true;
      backward.events.push(event);
    } else edges.set(`${from}\n${to}`, { from, to, events: [event], both: false });
  }
  return [...edges.values()];
}

function line({ from, to, events, both }, nodes) {
  const a = nodes.get(from);
  const b = nodes.get(to);
  const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  const control = { x: middle.x + (width / 2 - middle.x) * 0.35, y: middle.y + (height / 2 - middle.y) * 0.35 };
  const start = edgeOf(a, control);
  const end = edgeOf(b, control);
  const path = svg('path.edge', {
    d: `M${start.x} ${start.y}Q${control.x} ${control.y} ${end.x} ${end.y}`,
    'marker-end': 'url(#arrow)',
    'marker-start': both ? 'url(#arrow)' : null,
  });
  path.append(svg('title', {}, `${words(from)} ${both ? '↔' : '→'} ${words(to)}: ${[...new Set(events)].join(', ')}`));
  return path;
}

/** Where the way from the box's middle to `target` leaves the box, plus room for the arrow. */
function edgeOf(node, target) {
  const dx = target.x - node.x;
  const dy = target.y - node.y;
  const scale = 1 / Math.max(Math.abs(dx) / (node.w / 2 + 5), Math.abs(dy) / (nodeHeight / 2 + 5), 1e-6);
  const part = Math.min(scale, 1);
  return { x: +(node.x + dx * part).toFixed(1), y: +(node.y + dy * part).toFixed(1) };
}

function box(state, { x, y, w }, isInitial) {
  return svg(
    'g.state',
    { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
    svg('rect', { x: -w / 2, y: -nodeHeight / 2, width: w, height: nodeHeight, rx: nodeHeight / 2 }),
    isInitial ? svg('circle.initial', { cx: -w / 2 + 11, cy: 0, r: 2.6 }) : null,
    svg('text', { 'text-anchor': 'middle', dy: '0.35em', x: isInitial ? 6 : 0 }, words(state)),
  );
}

function arrowHead() {
  return svg(
    'defs',
    {},
    svg(
      'marker',
      {
        id: 'arrow',
        viewBox: '0 0 8 8',
        refX: 6,
        refY: 4,
        markerWidth: 6,
        markerHeight: 6,
        orient: 'auto-start-reverse',
      },
      svg('path', { d: 'M1 1 7 4 1 7z', fill: 'context-stroke' }),
    ),
  );
}
