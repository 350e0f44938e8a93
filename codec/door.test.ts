import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Door } from './door.ts';
import { elementRanges } from './elements.ts';
import { KINDS, referenceRecord } from './fixture.ts';
import { LineSplitter } from './lines.ts';

const NOW = Date.parse('2022-07-08T10:00:00Z');
const telemetry = referenceRecord(1, 1);
const lifecycle = JSON.stringify({
  id: 'a',
  serial: 'PW-ä',
  kind: 'powerwall',
  type: 'installed',
  eventTime: '2022-01-01T00:00:00Z',
  data: { siteId: 'S', position: 'p' },
});

function classify(text: string) {
  const bytes = Buffer.from(`  ${text}`);
  const answer = new Door(KINDS).classify(bytes, 2, bytes.length, NOW);
  return 'topic' in answer ? [answer.topic, Buffer.from(answer.key).toString()] : answer.reason;
}

describe('the door', () => {
  it('knows both records and gives the serial as key', () => {
    expect(classify(telemetry)).toEqual(['telemetry', 'PW-0000001']);
    expect(classify(lifecycle)).toEqual(['lifecycle', 'PW-ä']);
  });

  it.each([
    ['', 'empty'],
    ['{', 'malformed_json'],
    ['{}', 'unknown_record'],
    ['{"serial":"a","fields":{}}', 'missing_kind'],
    ['{"serial":"a","type":"installed"}', 'missing_kind'],
    [lifecycle.replace('installed', 'exploded'), 'unknown_lifecycle_type'],
    [lifecycle.replace('powerwall', 'toaster'), 'unknown_kind'],
    [telemetry.replace('powerwall', 'toaster'), 'unknown_kind'],
    [lifecycle.replace('"siteId"', '"site"'), 'bad_lifecycle_data'],
    [`"${'x'.repeat(70000)}"`, 'too_large'],
  ])('%.40s is refused as %s', (text, reason) => {
    expect(classify(text)).toBe(reason);
  });
});

/** Lines as text; a line over the limit as its size. */
function split(chunks: readonly Uint8Array[], max?: number): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(
    {
      line: (bytes, start, end, n) => lines.push(`${n}:${Buffer.from(bytes.subarray(start, end))}`),
      tooLong: (head, n) => lines.push(`${n}:long ${head.length}`),
    },
    max,
  );
  for (const chunk of chunks) {
    const own = Uint8Array.from(chunk);
    splitter.push(own);
    own.fill(0x21);
  }
  splitter.end();
  return lines;
}

describe('lines', () => {
  it('end with a newline, a carriage return before it, or the input', () => {
    expect(split([Buffer.from('\ufeffa\n\n \t\r\nb\r\nc')])).toEqual(['1:a', '4:b', '5:c']);
  });

  it('over the limit are skipped, and only they', () => {
    const text = Buffer.from(`a\n${'x'.repeat(200_000)}\nb\n${'y'.repeat(101)}\n${'z'.repeat(100)}`);
    expect(split([text], 100)).toEqual(['1:a', '2:long 101', '3:b', '4:long 101', `5:${'z'.repeat(100)}`]);
    expect(split([Buffer.from(`${'x'.repeat(2_000_000)}\nb`)])).toEqual(['1:long 65536', '2:b']);
  });

  it('are the same however the input is cut', () => {
    const line = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('ä€😀', '\r', '', ' '));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.nat(80), { maxLength: 12 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.join('\n'));
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((place, i) => bytes.subarray(places[i], place));
        expect(split(chunks, 9)).toEqual(split([bytes], 9));
      }),
      { numRuns: 500 },
    );
  });
});

describe('array elements', () => {
  const ranges = (text: string, max?: number) => {
    const bytes = Buffer.from(text);
    const found = elementRanges(bytes, 0, bytes.length, max);
    return typeof found === 'string'
      ? found
      : found.starts.map((start, i) => bytes.subarray(start, found.ends[i]).toString());
  };

  it('are found without parsing them', () => {
    expect(ranges(' [ ] ')).toEqual([]);
    expect(ranges('[1 , {"a":[",]",2]}\n,"\\"],"]')).toEqual(['1', '{"a":[",]",2]}', '"\\"],"']);
    expect(ranges('[1,2]', 1)).toBe('too_many');
  });

  it.each(['', '[', ']', '[1', '[1,]', '[,1]', '[1,,2]', '[1]]', '[1]2]', '{}', '[1} ]', '[] []'])(
    '%s is malformed',
    (text) => {
      expect(ranges(text)).toBe('malformed_json');
    },
  );

  it('are those of JSON.parse', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 5 }),
        fc.constantFrom(undefined, 1),
        (list, indent) => {
          const found = ranges(JSON.stringify(list, null, indent));
          expect(typeof found === 'string' ? found : found.map((text) => JSON.parse(text))).toEqual(
            JSON.parse(JSON.stringify(list)),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
