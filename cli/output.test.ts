import { describe, expect, it } from 'vitest';
import { createLog, readable } from './log.ts';
import { printable, table } from './output.ts';
import { Progress } from './progress.ts';
import { fakeIo } from './testing/fake-io.ts';

describe('table', () => {
  it('aligns texts to the left and numbers to the right', () => {
    const rows = [
      ['PW-1', 5, null],
      ['PW-10', 12.5, { a: 1 }],
    ];
    expect(table(['serial', 'kwh', 'x'], rows)).toBe(
      ['serial   kwh  x', '------  ----  -------', 'PW-1       5', 'PW-10   12.5  {"a":1}'].join('\n'),
    );
    expect(table(['a'], [])).toBe('a\n-');
  });

  it('does not let data steer the terminal', () => {
    expect(printable('a\u001b[2J\nb')).toBe('a\\u001b[2J\\u000ab');
  });
});

describe('messages', () => {
  it('are JSON lines, or readable on a terminal', () => {
    const io = fakeIo();
    createLog('info', io.stderr).warn({ partition: 2 }, 'slow');
    expect(JSON.parse(io.err())).toMatchObject({ level: 40, msg: 'slow', partition: 2 });
    expect(readable('{"level":40,"time":"2026-01-01T10:11:12.000Z","msg":"slow","partition":2}')).toBe(
      '10:11:12 warn  slow partition=2\n',
    );
  });
});

describe('Progress', () => {
  it('writes every 5 s to a file and in place on a terminal', () => {
    const io = fakeIo();
    let now = 0;
    const progress = new Progress({ ...io, now: () => now });
    for (now = 0; now <= 12_000; now += 1_000) progress.tick(() => `at ${now}`);
    expect(io.err()).toBe('at 5000\nat 10000\n');
    const terminal = fakeIo();
    const inPlace = new Progress({ ...terminal, now: () => now, stderr: { ...terminal.stderr, isTTY: true } });
    inPlace.show('long text');
    inPlace.show('x');
    inPlace.end();
    expect(terminal.err()).toBe('\rlong text\rx        \n');
  });
});
