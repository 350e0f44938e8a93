import { expect, test } from 'vitest';
import { emptyTable, encodeManifest } from '../../snapshots/manifest.ts';
import { decodeHead, decodeMark, encodeHead, encodeMark, type Head } from './mirror-head.ts';
import { encodePosition, startPosition } from './position.ts';

function headOf(blocks: number): Head {
  const position = { ...startPosition(), commit: 7, telemetry: 900 };
  const table = emptyTable(blocks);
  for (let id = 0; id < blocks; id++) {
    table.numbers[id] = 800 + (id % 12);
    table.crcs[id] = (id * 2_654_435_761) >>> 0;
    table.assets[id] = 90 + (id % 20);
    table.windowEnds[id] = 1_000_000 + id * 77;
  }
  const manifest = encodeManifest({
    number: 812,
    meta: { position: encodePosition(position), versions: { meter: 'meter@1' } },
    table,
    due: new Float64Array(blocks).fill(Number.POSITIVE_INFINITY),
    unpublished: new Uint8Array(blocks),
    names: ['Enphase', 'Tesla'],
  });
  const ancestors = [
    { number: 810, crc: 0xffffffff },
    { number: 811, crc: 5 },
  ];
  return {
    number: 812,
    position,
    layout: { blocksPerKind: blocks / 4, kinds: ['a', 'b', 'c', 'd'] },
    manifest,
    ancestors,
    holdsWindows: false,
  };
}

test('a head reads as it was written', () => {
  const head = headOf(4096);
  expect(decodeHead(encodeHead(head))).toEqual(head);
  expect(decodeHead(encodeHead({ ...head, holdsWindows: true }))).toEqual({ ...head, holdsWindows: true });
});

test('the head of the largest layout fits into one record of a broker', () => {
  expect(encodeHead(headOf(4 * 16_384)).length).toBeLessThan(900_000);
});

test('any flipped byte is noticed', () => {
  const head = encodeHead(headOf(16));
  const mark = encodeMark({ number: 812, released: 7 });
  expect(decodeMark(mark)).toEqual({ number: 812, released: 7 });
  const flipped = (bytes: Buffer, at: number) => {
    const copy = Buffer.from(bytes);
    copy[at] ^= 1;
    return copy;
  };
  for (let at = 0; at < head.length; at++) expect(decodeHead(flipped(head, at))).toBeNull();
  for (let at = 0; at < mark.length; at++) expect(decodeMark(flipped(mark, at))).toBeNull();
});
