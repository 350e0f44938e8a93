import { assetPage } from './asset.js';
import { h, replace, setText } from './dom.js';
import { fleetPage } from './fleet.js';
import { Live } from './live.js';
import { pipelinePage } from './pipeline.js';
import { sitePage } from './site.js';
import { sitesPage } from './sites.js';

/** The shell: theme, connection, keyboard, and one page at a time. A page returns the function that ends it. */

const main = document.getElementById('main');
const states = { connecting: 'Connecting', live: 'Live', offline: 'Offline, trying again' };

const live = new Live((state) => {
  const link = document.getElementById('link');
  link.dataset.state = state;
  setText(link.querySelector('span'), states[state]);
  document.documentElement.dataset.link = state;
});

let endPage = () => {};

function route() {
  endPage();
  endPage = () => {};
  const path = location.hash.replace(/^#/, '') || '/';
  const { name, key, tab } = pageOf(path);
  for (const anchor of document.querySelectorAll('nav a')) {
    const isCurrent = anchor.dataset.page === tab;
    if (isCurrent) anchor.setAttribute('aria-current', 'page');
    else anchor.removeAttribute('aria-current');
  }
  const root = h('div.page');
  replace(main, root);
  scrollTo(0, 0);
  if (name === 'asset') endPage = assetPage(root, key, live);
  else if (name === 'site') endPage = sitePage(root, key);
  else if (name === 'sites') endPage = sitesPage(root, new URLSearchParams(path.split('?')[1]));
  else if (name === 'pipeline') endPage = pipelinePage(root);
  else if (name === 'fleet') endPage = fleetPage(root, live);
  else
    replace(
      root,
      h('div.empty', {}, h('strong', {}, 'There is no such page.'), h('a', { href: '#/' }, 'To the fleet')),
    );
}

/** What the address asks for, and the entry of the navigation that it belongs to. */
function pageOf(path) {
  const one = /^\/(asset|site)\/(.+)$/.exec(path);
  if (one) return { name: one[1], key: decode(one[2]), tab: one[1] === 'asset' ? 'fleet' : 'sites' };
  const name = { '/': 'fleet', '/sites': 'sites', '/pipeline': 'pipeline' }[path.split('?')[0]] ?? 'unknown';
  return { name, tab: name };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const themeKey = 'gridfold.theme';
function changeTheme() {
  const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const current = document.documentElement.dataset.theme ?? (isDark ? 'dark' : 'light');
  setTheme(current === 'dark' ? 'light' : 'dark');
}
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem(themeKey, theme);
  dispatchEvent(new Event('themechange'));
}
const chosen = localStorage.getItem(themeKey);
if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
document.getElementById('theme').addEventListener('click', changeTheme);

addEventListener('keydown', (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  const isTyping = event.target.closest?.('input, select, textarea, dialog');
  if (event.key === 'Escape' && !event.target.closest?.('dialog')) {
    if (isTyping) event.target.blur();
    else if (location.hash.startsWith('#/asset/')) location.hash = '#/';
    else if (location.hash.startsWith('#/site/')) location.hash = '#/sites';
  }
  if (isTyping) return;
  if (event.key === '/') {
    const search = document.querySelector('input[type=search]');
    if (search === null) return;
    event.preventDefault();
    search.focus();
  } else if (event.key === 't') changeTheme();
  else if (event.key === 'f') location.hash = '#/';
  else if (event.key === 's') location.hash = '#/sites';
  else if (event.key === 'p') location.hash = '#/pipeline';
});

addEventListener('hashchange', route);
route();
