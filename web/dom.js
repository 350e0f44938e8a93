/**
 * Builds elements. Text is always set as text: nothing that comes from a device is ever parsed as markup.
 */

const svgNamespace = 'http://www.w3.org/2000/svg';

/** `h('a.card.wide', {href: '#/'}, 'text', child)`; `on…` properties are listeners, null and false are left out. */
export function h(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split('.');
  const element = document.createElement(tag || 'div');
  if (classes.length > 0) element.className = classes.join(' ');
  return fill(element, attributes, children);
}

/** As `h`, for SVG. */
export function svg(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split('.');
  const element = document.createElementNS(svgNamespace, tag);
  if (classes.length > 0) element.setAttribute('class', classes.join(' '));
  return fill(element, attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets text only when it differs, so that a selection and a screen reader are left alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Replaces all children. */
export function replace(element, ...children) {
  element.replaceChildren(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
}

/** A short flash that says: this just changed. */
export function flash(element) {
  element.classList.remove('flash');
  void element.offsetWidth;
  element.classList.add('flash');
}

/** Shown where there is nothing, with a hint what to do. */
export function empty(title, hint) {
  return h('div.empty', {}, h('strong', {}, title), hint ? h('span', {}, hint) : null);
}

/** Arrow keys walk the rows of a table: a listener of its body. */
export function moveFocus(event) {
  const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
  const row = event.target.closest('tr')?.[step];
  if (step === undefined || !row) return;
  event.preventDefault();
  row.querySelector('a')?.focus();
}

/** `#/name?key=value` with the keys that have one, without a new entry in the history. */
export function keepInAddress(path, values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  history.replaceState(null, '', `#${path}${query.size > 0 ? `?${query}` : ''}`);
}
