import { Misreading } from './script.ts';
import { parseDuration, parseTime, type Start } from './time.ts';

/** More readings than this in one line are a slip of the pen. */
const MAX_READINGS = 20_000;

/** Readings at even distances: the first, the distance, how many; and the words that follow. */
export interface Every {
  readonly from: number;
  readonly stepMs: number;
  readonly count: number;
  readonly more: string[];
}

/** `every 10m for 2h`: from one step after `cursor`; `every 10m from TIME to TIME`: both ends too. */
export function parseEvery(rest: readonly string[], cursor: number, start: Start): Every {
  const [step = '', word, ...more] = rest;
  const stepMs = parseDuration(step);
  let from = cursor + stepMs;
  let to: number;
  if (word === 'for') to = cursor + parseDuration(withoutColon(more.shift()));
  else if (word === 'from' && more[1] === 'to') {
    from = parseTime(more[0], start);
    to = parseTime(withoutColon(more[2]), start);
    more.splice(0, 3);
  } else throw new Misreading('write every 10m for 2h: field=value..., or every 10m from +0m to +2h: field=value...');
  const count = Math.floor((to - from) / stepMs) + 1;
  if (!(stepMs > 0 && count > 0 && count <= MAX_READINGS)) throw new Misreading('that is no reading, or too many');
  return { from, stepMs, count, more };
}

function withoutColon(word = ''): string {
  return word.replace(/:$/, '');
}
