import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../main.ts';
import { fakeIo } from '../testing/fake-io.ts';

const GOOD = `scenario A fault opens
covers 2.2/H-faulted
asset PW-1 powerwall cadence 5m
start 2022-07-08T12:00Z
+0m powerW=0 alerts=[X critical]
expect fault code=X
`;
const BAD = `${GOOD}
scenario Another one
asset PW-1 powerwall
start 2022-07-08T12:00Z
+0m powerW=0
expect fault
`;
const UNREADABLE = GOOD.replace('powerW', 'powrW');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gridfold-cli-scenario-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function call(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = fakeIo();
  const code = await main(['scenario', ...args], io, async () => {
    throw new Error('needs no instance');
  });
  return { code, out: io.out(), err: io.err() };
}

describe('gridfold scenario', () => {
  it('says that all hold', async () => {
    expect(await call(written('a.scenario', GOOD))).toEqual({
      code: 0,
      out: '1 scenario in 1 file: all hold\n',
      err: '',
    });
  });

  it('says with file and line what does not, and exits with 1', async () => {
    const file = written('a.scenario', BAD);
    const { code, out } = await call(file);
    expect(code).toBe(1);
    expect(out).toBe(
      `${file}:12: expect fault: none is so; there is none at all\n    in: Another one\n2 scenarios in 1 file: 1 failed\n`,
    );
  });

  it('exits with 2 when a line cannot be understood', async () => {
    const file = written('a.scenario', UNREADABLE);
    const { code, out } = await call(file);
    expect(code).toBe(2);
    expect(out).toContain(`${file}:5: there is no field of a powerwall "powrW", did you mean powerW?`);
    expect(out).toContain('1 line cannot be understood');
  });

  it('takes folders and several files, and plays some of what is there', async () => {
    const one = written('a.scenario', GOOD);
    written('b.scenario', BAD);
    written('notes.txt', 'no scenario');
    expect((await call(folder)).out).toContain('3 scenarios in 2 files: 1 failed');
    expect((await call(one, one)).out).toBe('2 scenarios in 2 files: all hold\n');
    expect((await call(folder, '--only', 'fault opens')).out).toBe('2 scenarios in 2 files: all hold\n');
  });

  it('answers machines with one JSON value', async () => {
    const file = written('a.scenario', BAD);
    const { code, out } = await call(file, '--json', '--seed', '7');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      ok: false,
      seed: 7,
      scenarios: 2,
      problems: [],
      files: [
        {
          file,
          scenarios: [
            { line: 1, title: 'A fault opens', covers: ['2.2/H-faulted'], ok: true, failures: [] },
            {
              line: 8,
              title: 'Another one',
              covers: [],
              ok: false,
              failures: [{ line: 12, message: 'expect fault: none is so; there is none at all' }],
            },
          ],
        },
      ],
    });
  });

  it.each([
    [[], 'FILE... is missing: gridfold scenario FILE...'],
    [['nowhere.scenario'], 'Cannot read nowhere.scenario: ENOENT'],
  ])('of %j is wrong usage', async (args, message) => {
    const { code, err } = await call(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('of an empty folder, or of a title that no scenario has, is wrong usage', async () => {
    expect((await call(folder)).err).toContain('there is no .scenario file in');
    expect((await call(written('a.scenario', GOOD), '--only', 'dragons')).code).toBe(2);
  });
});
