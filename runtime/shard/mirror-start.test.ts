import { expect, test } from 'vitest';
import { chooseStart, type Relation, relationOf } from './mirror-start.ts';
import { startPosition } from './position.ts';

const at = (commit: number, telemetry = commit * 10) => ({
  position: { ...startPosition(), commit, telemetry },
  isUsable: true,
});
const gone = { ...at(5), isUsable: false };

test.each([
  ['nothing anywhere', null, null, 'apart', 'empty'],
  ['a local snapshot only', at(5), null, 'apart', 'local'],
  ['a mirrored one only', null, at(5), 'apart', 'mirror'],
  ['local: the log no longer reaches back to it', gone, at(9), 'behind', 'mirror'],
  ['mirror: the log no longer reaches back to it', at(9), gone, 'behind', 'local'],
  ['neither can be used', gone, gone, 'apart', 'empty'],
  ['the mirror is the snapshot before', at(9), at(8), 'same', 'local'],
  ['the mirror is the newest one', at(9), at(9), 'same', 'local'],
  ['another owner folded little since', at(5, 50), at(9, 200_050), 'behind', 'local'],
  ['another owner folded much since', at(5, 50), at(9, 200_051), 'behind', 'mirror'],
  ['another owner went on from before', at(5), at(9), 'apart', 'mirror'],
  ['another owner went on from before, to the same commit', at(5), at(5), 'apart', 'mirror'],
  ['the mirror was left behind long ago', at(9), at(2), 'apart', 'local'],
] as const)('%s', (_what, local, mirror, relation, start) => {
  expect(chooseStart({ local, mirror, relation: relation as Relation })).toBe(start);
});

const name = (number: number) => ({ number, crc: number * 7 });

test.each([
  ['the newest', [name(12), name(11)], 12, 'same'],
  ['the older one', [name(13), name(12)], 12, 'same'],
  ['what came after the newest', [name(12), name(11)], 15, 'behind'],
  ['what came after the older one only', [name(14), name(12)], 15, 'apart'],
  ['one of the same number, but another', [{ number: 15, crc: 1 }], 15, 'apart'],
  ['nothing local', [], 15, 'apart'],
] as const)('the mirror is %s', (_what, local, number, relation) => {
  const ancestors = [10, 11, 12, 13].map(name);
  expect(relationOf(local, { number, ancestors }, number * 7)).toBe(relation);
});
