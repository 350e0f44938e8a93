import { referenceRecord } from '../codec/fixture.ts';
import { makeRandom } from '../codec/testing/attacks.ts';

const LIFECYCLE =
  '{"id":"erp-88-17","serial":"PW-0001","kind":"powerwall","type":"installed","eventTime":"2022-01-03T15:00:00-08:00","data":{"siteId":"S-42","position":"battery-1"}}';

const ODD_VALUES = [
  'null',
  'true',
  '-256',
  '-0',
  '0',
  '1e999',
  '-1e-999',
  'NaN',
  'Infinity',
  '"NaN"',
  '""',
  '"x"',
  '[]',
  '{}',
  '[[[[[]]]]]',
  '01',
  '1.',
  '9007199254740993',
  '0.30000000000000004',
  '123456789012345678901234567890',
  '"\\u0000"',
  '"\\ud800"',
  '"ä"',
  '"2022-07-08T02:00:00-07:00"',
  '"0001-01-01T00:00:00Z"',
  '"2999-01-01T00:00:00Z"',
  '1e15',
  '[{"name":"a","startedAt":1657270000000}]',
  '["a","b"]',
  '{"__proto__":{"polluted":1}}',
];
const ODD_KEYS = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'powerW',
  'soc',
  'alerts',
  'firmware',
  'serial',
  '',
  'x'.repeat(300),
  '\\u0061',
  'ß',
];

type Attack = (text: string) => string | Uint8Array;

/** One record made by an attack, and the attack's name. */
export interface Attacked {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An endless stream of damaged and hostile records, among them some that are as they should be; the same for a seed. */
export function* attackedRecords(seed: number): Generator<Attacked, never> {
  const attacks = makeAttacks(makeRandom(seed));
  for (;;) yield attacks();
}

function makeAttacks(random: () => number): () => Attacked {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)];
  const nested = (depth: number) => `{"deep":${'['.repeat(depth)}${']'.repeat(depth)},`;

  /** Replaces the value of a key that the record has. */
  function swapValue(text: string): string {
    const values = [...text.matchAll(/:("(?:[^"\\]|\\.)*"|-?[0-9.]+)/g)];
    const hit = values.length > 0 ? pick(values) : undefined;
    return hit === undefined
      ? text
      : text.slice(0, hit.index + 1) + pick(ODD_VALUES) + text.slice(hit.index + hit[0].length);
  }

  function flipBytes(text: string): Uint8Array {
    const bytes = Buffer.from(text);
    for (let n = 1 + below(4); n > 0; n--) bytes[below(bytes.length)] = below(256);
    return bytes;
  }

  const ATTACKS: Record<string, Attack> = {
    untouched: (text) => text,
    truncated: (text) => text.slice(0, below(text.length + 1)),
    'flipped bytes': flipBytes,
    'invalid UTF-8': (text) => {
      const at = below(text.length);
      return Buffer.concat([
        Buffer.from(text.slice(0, at)),
        Buffer.from(pick([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0x80]])),
        Buffer.from(text.slice(at)),
      ]);
    },
    'odd value': swapValue,
    'odd values': (text) => swapValue(swapValue(swapValue(text))),
    'odd key in fields': (text) =>
      text.replace(/"(fields|data)":\{/, (all) => `${all}"${pick(ODD_KEYS)}":${pick(ODD_VALUES)},`),
    'odd key on top': (text) => text.replace('{', `{"${pick(ODD_KEYS)}":${pick(ODD_VALUES)},`),
    'key lost': (text) =>
      text.replace(pick(['"serial"', '"kind"', '"deviceTime"', '"fields"', '"type"', '"eventTime"', '"id"']), '"lost"'),
    'from the future': (text) => text.replace(/"20\d\d/, '"2035'),
    doubled: (text) => text + text,
    huge: (text) =>
      below(50) === 0 ? text.replace('{', `{"pad":"${'x'.repeat(60_000 + below(10_000))}",`) : swapValue(text),
    deep: (text) =>
      below(20) === 0
        ? text.replace('{', `{"deep":${'['.repeat(below(30_000))}`)
        : text.replace('{', nested(62 + below(4))),
    'many fields': (text) =>
      text.replace('"fields":{', `"fields":{${Array.from({ length: below(60) }, (_, i) => `"f${i}":${i},`).join('')}`),
    'no object': (text) => pick([`[${text}]`, '7', 'null', '{}', '"x"', ' \n', '{"a":{}}']),
    noise: () => Uint8Array.from({ length: below(300) }, () => below(256)),
    spaced: (text) => text.replace(/[:,{}]/g, (c) => pick([c, ` ${c}`, `${c}\n`, `${c}\t `])),
  };

  const names = Object.keys(ATTACKS);
  return () => {
    const name = pick(names);
    const made = ATTACKS[name](below(5) === 0 ? LIFECYCLE : referenceRecord(below(1000), below(1000)));
    return { name, bytes: typeof made === 'string' ? Buffer.from(made) : made };
  };
}
