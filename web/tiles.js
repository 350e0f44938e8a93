import { h, setText } from './dom.js';

/** A row of figures. `tile(name, label)` makes a tile when it is first wanted, and gives it back from then on. */
export function tileRow(label) {
  const root = h('section.tiles.live', { 'aria-label': label });
  const tiles = new Map();
  return {
    element: root,
    has: (name) => tiles.has(name),
    tile(name, text) {
      if (!tiles.has(name)) {
        const one = makeTile(text);
        tiles.set(name, one);
        root.append(one.element);
      }
      return tiles.get(name);
    },
  };
}

function makeTile(label) {
  const value = h('span.value');
  const unit = h('span.unit');
  const note = h('span.note');
  const gauge = fractionGauge();
  return {
    element: h('div.tile', {}, h('span.label', {}, label), h('span.figure', {}, value, unit), gauge.element, note),
    show([number, unitText], noteText = '', fraction) {
      setText(value, number);
      setText(unit, unitText ?? '');
      setText(note, noteText);
      gauge.show(fraction);
    },
  };
}

/** A small bar that is full at 1; hidden where there is no number. */
export function fractionGauge() {
  const level = h('i');
  const element = h('span.gauge', { hidden: true }, level);
  return {
    element,
    show(fraction) {
      element.hidden = typeof fraction !== 'number';
      if (typeof fraction === 'number') level.style.width = `${Math.max(0, Math.min(1, fraction)) * 100}%`;
    },
  };
}
