import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testServer } from '../testing/server.ts';

let server: Awaited<ReturnType<typeof testServer>>;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

/** Modules of the page, as a browser loads them. */
const page = (name: string) => import(new URL(`../../web/${name}`, import.meta.url).href);

test('every module that a module of the page imports is served, and gives what is asked of it', async () => {
  const waiting = ['app.js'];
  const seen = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const answer = await fetch(`${server.url}/${name}`);
    expect([name, answer.status, answer.headers.get('content-type')]).toEqual([
      name,
      200,
      'text/javascript; charset=utf-8',
    ]);
    const source = await answer.text();
    for (const [, names, from] of source.matchAll(/^import \{([^}]+)\} from '\.\/([\w.]+)';$/gms)) {
      waiting.push(from);
      const wanted = names.split(',').map((one) => one.trim());
      const exported = await page(from);
      expect(Object.keys(exported), `${name} imports from ${from}`).toEqual(
        expect.arrayContaining(wanted.filter((one) => one !== '')),
      );
    }
    expect(source.match(/^import /gm)?.length ?? 0, name).toBe(source.match(/^import \{[^}]+\} from/gms)?.length ?? 0);
  }
  expect([...seen]).toEqual(expect.arrayContaining(['fleet.js', 'asset.js', 'site.js', 'sites.js', 'pipeline.js']));
});

describe('a site in words', () => {
  const totals = { membersFresh: 2, membersExpected: 2, powerMinW: 10, powerMaxW: 10, faultsOpen: 0 };
  const site = { grid: 'tied', gatewaySilentSince: null, slotConflicts: [], totals };

  test.each([
    ['On grid', {}],
    ['Faulted', { totals: { ...totals, faultsOpen: 1 } }],
    ['Slot conflict', { slotConflicts: [{}], totals: { ...totals, faultsOpen: 1 } }],
    ['Silent', { totals: { ...totals, membersFresh: 0 } }],
    ['Gateway silent', { gatewaySilentSince: '2026-01-01T00:00:00Z', totals: { ...totals, membersFresh: 0 } }],
    ['Islanded', { grid: 'islanded', gatewaySilentSince: '2026-01-01T00:00:00Z' }],
  ])('%s', async (text, change) => {
    const { standing } = await page('sites.js');
    expect(standing({ ...site, ...change }).text).toBe(text);
  });

  test('tells the bounds of its power only while somebody is silent', async () => {
    const { boundsText } = await page('sites.js');
    const silent = { ...totals, membersFresh: 1 };
    expect(boundsText(totals)).toBe('');
    expect(boundsText({ ...silent, powerMinW: -4_990, powerMaxW: 5_010 })).toBe(
      '-4.99 kW to 5.01 kW with the silent ones',
    );
    expect(boundsText({ ...silent, powerMaxW: null })).toMatch(/^unbounded/);
  });
});

test.each([
  ['TransitionToIsland', 'Transition to island'],
  ['NOT_IN_SERVICE', 'Not in service'],
  ['EVDisconnected', 'EV disconnected'],
  ['suspendedEvse', 'Suspended EVSE'],
  ['SuspendedEV', 'Suspended EV'],
  ['fcr', 'FCR'],
  ['SoCControl', 'SoC control'],
  ['socProtection', 'SoC protection'],
  ['atReserve', 'At reserve'],
])('%s reads %s', async (name, text) => {
  const { words } = await page('format.js');
  expect(words(name)).toBe(text);
});
