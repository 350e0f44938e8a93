import { get } from './api.js';
import { empty, h, replace } from './dom.js';
import { ago, integer, span, words } from './format.js';

const refreshMs = 2_000;

/** Partitions, sinks, the audit and the records that were set aside. */
export function pipelinePage(root) {
  const summary = h('section.tiles', { 'aria-label': 'Pipeline now' });
  const partitions = h('tbody');
  const sinks = h('div.sinks');
  const letters = h('div');
  const verdict = h('p.caption', { role: 'status' });
  const request = new AbortController();
  let timer;
  const button = h('button', { type: 'button', onclick: audit }, 'Run audit');
  const head = ['Partition', 'Phase', 'Telemetry', 'Lifecycle', 'Lag', 'Assets', 'Snapshot', 'Horizon'];
  replace(
    root,
    h('h1.visually-hidden', {}, 'Pipeline'),
    summary,
    h(
      'section.card',
      { 'aria-label': 'Partitions' },
      h('header', {}, h('h2', {}, 'Partitions')),
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
          partitions,
        ),
      ),
    ),
    h('section.card', { 'aria-label': 'Sinks' }, h('header', {}, h('h2', {}, 'Sinks'), button), sinks, verdict),
    h(
      'section.card',
      { 'aria-label': 'Dead letters' },
      h('header', {}, h('h2', {}, 'Dead letters'), h('span.dim', {}, 'newest first')),
      letters,
    ),
  );

  async function refresh() {
    try {
      const pipeline = await get('/v1/pipeline', request.signal);
      showSummary(summary, pipeline);
      replace(partitions, ...pipeline.partitions.map(partitionRow));
      replace(sinks, pipeline.sinks.length > 0 ? pipeline.sinks.map(sinkRow) : empty('No sinks'));
    } catch (error) {
      if (error.name === 'AbortError') return;
    }
    timer = setTimeout(refresh, document.hidden ? refreshMs * 5 : refreshMs);
  }
  async function audit() {
    button.disabled = true;
    replace(verdict, 'Comparing every sink with the log…');
    try {
      const { ok } = await get('/v1/audit', request.signal);
      verdict.dataset.tone = ok ? 'good' : 'bad';
      replace(
        verdict,
        ok ? 'Nothing lost, nothing doubled.' : 'Something is lost or doubled: run gridfold audit for the details.',
      );
    } catch (error) {
      replace(verdict, error.message);
    }
    button.disabled = false;
  }
  async function readLetters() {
    try {
      const { items } = await get('/v1/dead-letters?limit=20', request.signal);
      replace(letters, items.length === 0 ? empty('None', 'Every record was understood.') : lettersTable(items));
    } catch (error) {
      if (error.name !== 'AbortError') replace(letters, empty('They could not be read', error.message));
    }
  }
  void refresh();
  void readLetters();
  return () => {
    request.abort();
    clearTimeout(timer);
  };
}

function showSummary(root, { ready, partitions, sinks, live }) {
  const sum = (list, read) => list.reduce((total, one) => total + read(one), 0);
  const isLive = partitions.filter((one) => one.phase === 'live').length;
  const tile = (label, value, note) =>
    h(
      'div.tile',
      {},
      h('span.label', {}, label),
      h('span.figure', {}, h('span.value', {}, value)),
      h('span.note', {}, note),
    );
  replace(
    root,
    tile('Partitions live', `${isLive}/${partitions.length}`, ready ? 'ready' : 'recovering'),
    tile(
      'Records behind',
      integer(sum(partitions, (one) => one.lag.telemetry + one.lag.lifecycle)),
      'in the log, not folded',
    ),
    tile(
      'Events behind',
      integer(sum(sinks, (one) => one.lag)),
      `over ${sinks.length} ${sinks.length === 1 ? 'sink' : 'sinks'}`,
    ),
    tile('Live sockets', integer(live.connections), `${integer(live.subscriptions)} subscriptions`),
  );
}

function partitionRow(one) {
  return h(
    'tr',
    {},
    h('td.mono', { title: one.owner }, `${one.actor} ${one.partition}`),
    h(
      'td',
      {},
      h(
        'span.status',
        { 'data-tone': one.phase === 'live' ? 'good' : 'work' },
        h('i'),
        h('span', {}, words(one.phase)),
      ),
    ),
    h('td.num', {}, integer(one.position.telemetry)),
    h('td.num', {}, integer(one.position.lifecycle)),
    h('td.num', {}, integer(one.lag.telemetry + one.lag.lifecycle)),
    h('td.num', {}, integer(one.assets)),
    h('td.num', {}, one.snapshotAgeMs === null ? 'none yet' : `${span(one.snapshotAgeMs)} ago`),
    h('td.num', {}, span(one.horizonMs)),
  );
}

function sinkRow(one) {
  return h(
    'div.sink',
    { 'data-tone': one.error === null ? 'good' : 'bad' },
    h('i'),
    h('strong', { title: one.owner }, one.sink),
    h('span', {}, `${integer(one.rows)} rows`),
    h('span', {}, one.lag === 0 ? 'up to date' : `${integer(one.lag)} behind`),
    h('span', {}, one.lastCommitAt === null ? 'no commit yet' : `committed ${ago(one.lastCommitAt)}`),
    one.error === null ? null : h('p', {}, one.error),
  );
}

function lettersTable(items) {
  return h(
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
          ['When', 'Reason', 'Serial', 'From', 'Begins with'].map((name) => h('th', { scope: 'col' }, name)),
        ),
      ),
      h(
        'tbody',
        {},
        items.map((letter) =>
          h(
            'tr',
            {},
            h('td.dim', {}, ago(letter.at)),
            h('td', {}, words(letter.reason)),
            h('td.mono', {}, letter.serial ?? '–'),
            h('td.mono.dim', {}, letter.source ?? 'door'),
            h('td.mono.clip', {}, beginning(letter.value)),
          ),
        ),
      ),
    ),
  );
}

function beginning(base64) {
  try {
    const bytes = Uint8Array.from(atob(base64.slice(0, 160)), (sign) => sign.charCodeAt(0));
    return new TextDecoder().decode(bytes);
  } catch {
    return '';
  }
}
