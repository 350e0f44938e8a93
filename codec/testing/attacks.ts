/** mulberry32: numbers from 0 to 1, the same for a seed. */
export function makeRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Attacked {
  /** Name of the attack. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Lengths and counts that are not meant well, as varints of Protobuf and Avro and as numbers of FlatBuffers. */
const HOSTILE = [
  'ffffffff07',
  'ffffffffffffffff7f',
  'ffffffffffffffffff01',
  'feffffffffffffffff01',
  'ffffffffffffffffffffffff',
  '8080808080808080808000',
  'ffffff7f',
  'ffffffff',
  '00000080',
  'fcffffff',
  '00000000',
  '80808008',
  '0000008000000080',
].map((hex) => Buffer.from(hex, 'hex'));

/** An endless stream of damaged binary records, among them some that are as they should be; the same for a seed. */
export function* attackedBytes(originals: readonly Uint8Array[], seed: number): Generator<Attacked, never> {
  const random = makeRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)];
  const join = (...parts: readonly Uint8Array[]) => Buffer.concat(parts);
  const set = (bytes: Uint8Array, at: number, part: Uint8Array) =>
    join(bytes.subarray(0, at), part, bytes.subarray(Math.min(bytes.length, at + part.length)));

  const attacks: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
    untouched: (bytes) => bytes,
    truncated: (bytes) => bytes.subarray(0, below(bytes.length + 1)),
    'changed bytes': (bytes) => {
      let changed = bytes;
      for (let n = 1 + below(4); n > 0; n--) changed = set(changed, below(bytes.length), Uint8Array.of(below(256)));
      return changed;
    },
    'changed bits': (bytes) => {
      const changed = Uint8Array.from(bytes);
      for (let n = 1 + below(3); n > 0; n--) changed[below(bytes.length)] ^= 1 << below(8);
      return changed;
    },
    'lost bytes': (bytes) => {
      const at = below(bytes.length);
      return join(bytes.subarray(0, at), bytes.subarray(at + 1 + below(8)));
    },
    'added bytes': (bytes) => {
      const at = below(bytes.length + 1);
      const added = Uint8Array.from({ length: 1 + below(8) }, () => below(256));
      return join(bytes.subarray(0, at), added, bytes.subarray(at));
    },
    'repeated part': (bytes) => {
      const [at, length] = [below(bytes.length), below(64)];
      return join(bytes.subarray(0, at + length), bytes.subarray(at));
    },
    'two in one': (bytes) => {
      const other = pick(originals);
      return join(bytes.subarray(0, below(bytes.length)), other.subarray(below(other.length)));
    },
    'one behind the other': (bytes) => join(bytes, pick(originals)),
    'hostile length': (bytes) => set(bytes, below(bytes.length), pick(HOSTILE)),
    'added hostile length': (bytes) => {
      const at = below(bytes.length + 1);
      return join(bytes.subarray(0, at), pick(HOSTILE), bytes.subarray(at));
    },
    noise: () => Uint8Array.from({ length: below(200) }, () => below(256)),
    'much of one byte': () =>
      new Uint8Array(below(70) === 0 ? 60_000 : below(300)).fill(pick([0, 1, 2, 8, 0x80, 0xff])),
  };
  const names = Object.keys(attacks);
  for (;;) {
    const name = pick(names);
    yield { name, bytes: attacks[name](pick(originals)) };
  }
}
