import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_LINE_BYTES, openInput, readLines } from './lines.ts';
import { topicOf } from './records.ts';
import { fakeIo } from './testing/fake-io.ts';

async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function linesOf(source: AsyncIterable<Uint8Array>): Promise<[number, string][]> {
  const found: [number, string][] = [];
  for await (const line of readLines(source)) found.push([line.number, Buffer.from(line.bytes).toString('latin1')]);
  return found;
}

describe('readLines', () => {
  it('keeps numbers, passes over empty lines, needs no newline at the end', async () => {
    expect(await linesOf(chunksOf(Buffer.from('a\n\n \r\nb\nc'), 2))).toEqual([
      [1, 'a'],
      [4, 'b'],
      [5, 'c'],
    ]);
  });

  it('gives the same lines however the bytes are cut', async () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((raw) => raw.map((byte) => (byte % 3 === 0 ? 0x0a : byte)));
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 10 }), async (input, size) => {
        const whole = await linesOf(chunksOf(input, 1_000));
        expect(await linesOf(chunksOf(input, size))).toEqual(whole);
        const text = Buffer.from(input).toString('latin1').split('\n');
        expect(whole).toEqual(text.map((line, i) => [i + 1, line]).filter(([, line]) => /[^\0- ]/.test(String(line))));
      }),
    );
  });

  it('holds the beginning of an endless line, and goes on after it', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 20; i++) yield Buffer.alloc(1024 * 1024, 'x');
      yield Buffer.from('\nb\n');
    }
    const found = [];
    for await (const line of readLines(endless())) found.push(line);
    expect(found.map(({ number, cut, bytes }) => [number, cut, bytes.length])).toEqual([
      [1, true, MAX_LINE_BYTES],
      [2, false, 1],
    ]);
  });
});

describe('openInput', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gridfold-lines-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('unpacks gzip, by content and not by name', async () => {
    const packed = join(folder, 'a.ndjson');
    writeFileSync(packed, gzipSync('a\nb\n'));
    expect(await linesOf(openInput(packed, fakeIo()))).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(await linesOf(openInput('-', fakeIo({ stdin: 'c\n' })))).toEqual([[1, 'c']]);
  });

  it.each([
    ['missing', null],
    ['cut.gz', gzipSync('a\nb\n'.repeat(1000)).subarray(0, 30)],
    ['plain.gz', Buffer.from('a\n')],
  ])('says that %s cannot be read', async (name, content) => {
    const path = join(folder, name);
    if (content !== null) writeFileSync(path, content);
    await expect(linesOf(openInput(path, fakeIo()))).rejects.toMatchObject({ code: 'input_unreadable' });
  });
});

describe('topicOf', () => {
  it.each([
    ['{"serial":"a","deviceTime":1,"fields":{}}', 'telemetry'],
    ['{"id":"1","serial":"a","eventTime":"2022-01-01T00:00:00Z","type":"shipped"}', 'lifecycle'],
    ['{"serial":"a","fields":{"note":"\\"eventTime\\""}}', 'telemetry'],
    ['{"serial":"a","deviceTime":1,"fields":{"eventTime":1}}', 'telemetry'],
    ['{"eventTime": broken', 'telemetry'],
    ['"eventTime"', 'telemetry'],
    ['garbage', 'telemetry'],
  ])('%s belongs to %s', (line, topic) => {
    expect(topicOf(Buffer.from(line))).toBe(topic);
  });
});
