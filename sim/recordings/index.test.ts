import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { collect, readings, withFile } from './data.testing.ts';
import { openRecording, recordings } from './index.ts';
import { splitCells } from './table.ts';

const CONTENT = 'Date time,Powerwall (kW)\n2022-01-01T00:00:00-08:00,1\n';
const read = (file: string) => collect(openRecording('seattle-5min', file));

describe('recordings', () => {
  test('every format has a description for the help', () => {
    for (const [name, { format, description }] of Object.entries(recordings)) {
      expect(format).toBe(name);
      expect(description.length).toBeGreaterThan(20);
    }
  });

  test('reads compressed files too', async () => {
    const records = await withFile('home.csv.gz', gzipSync(CONTENT), read);
    expect(readings(records)).toHaveLength(1);
  });

  test('names the formats when one is unknown, and the file when it is absent', () => {
    expect(() => openRecording('seattle', 'x')).toThrow(/formats are seattle-5min, solarma, powerwall-api, acn/);
    expect(() => openRecording('solarma', '/nowhere/x.csv')).toThrow(
      expect.objectContaining({ code: 'recording_unreadable' }),
    );
    expect(() => openRecording('solarma', import.meta.dirname)).toThrow(/is not a file/);
  });

  test('refuses bytes that are no text', async () => {
    const bytes = Buffer.concat([Buffer.from(CONTENT), Buffer.from([0xff, 0xfe, 0x0a])]);
    await expect(withFile('home.csv', bytes, read)).rejects.toMatchObject({ code: 'recording_malformed' });
    await expect(withFile('home.csv.gz', Buffer.from('no gzip'), read)).rejects.toMatchObject({
      code: 'recording_unreadable',
    });
  });

  test.each([
    ['a,b,', ['a', 'b', '']],
    ['"a,b", "c ""d""",e', ['a,b', 'c "d"', 'e']],
    ['"",', ['', '']],
    ['"open', null],
  ])('splits %s', (text, cells) => {
    expect(splitCells(text)).toEqual(cells);
  });
});
