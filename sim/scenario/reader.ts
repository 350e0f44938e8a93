import { parseAsset } from './assets.ts';
import type { Line, ScenarioBlock } from './blocks.ts';
import { parseEvery } from './every.ts';
import { parseExpectation } from './expectations.ts';
import { lifecycleArrival, parseFields, readingArrival, takeManner } from './readings.ts';
import {
  type Arrival,
  type Expectation,
  Misreading,
  type Problem,
  type Scenario,
  type ScenarioAsset,
} from './script.ts';
import { looksLikeTime, parseDuration, parseStart, parseTime, type Start } from './time.ts';
import { kindNamed } from './vocabulary.ts';
import { words } from './words.ts';

const LINES = 'covers, asset, start, order matters:, every, silence, expect, examples, or a time such as +5m';

/** Reads one scenario, line by line; goes on after a line that cannot be understood. */
export class ScenarioReader {
  readonly problems: Problem[] = [];
  readonly #file: string;
  readonly #block: ScenarioBlock;
  readonly #covers: string[] = [];
  readonly #assets: ScenarioAsset[] = [];
  readonly #arrivals: Arrival[] = [];
  readonly #expectations: Expectation[] = [];
  readonly #silences: { readonly line: number; readonly from: number; readonly to: number }[] = [];
  #start: Start | null = null;
  #orderMatters: string | null = null;
  /** The time that the last line reached: where `every` and `silence` go on from. */
  #cursor = 0;
  #end = 0;

  constructor(file: string, block: ScenarioBlock) {
    this.#file = file;
    this.#block = block;
  }

  read(): Scenario | null {
    for (const line of this.#block.body) {
      this.#try(line.number, () => this.#line(line));
      // Without asset and start nothing that follows can be understood: one complaint is enough.
      if (this.problems.length > 0 && (this.#start === null || this.#assets.length === 0)) return null;
    }
    this.#try(this.#block.line, () => {
      if (this.#expectations.length === 0) throw new Misreading('the scenario expects nothing: write expect ...');
    });
    for (const silence of this.#silences) this.#try(silence.line, () => this.#keepsSilent(silence));
    if (this.problems.length > 0 || this.#start === null) return null;
    return {
      file: this.#file,
      line: this.#block.line,
      title: this.#block.title,
      covers: this.#covers,
      assets: this.#assets,
      start: this.#start.ms,
      end: this.#arrivals.reduce((end, a) => Math.max(end, a.arrives), this.#end),
      arrivals: this.#arrivals.sort((a, b) => a.arrives - b.arrives),
      expectations: this.#expectations,
      orderMatters: this.#orderMatters,
    };
  }

  #try(line: number, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof Misreading)) throw error;
      this.problems.push({ file: this.#file, line, message: error.message });
    }
  }

  #line({ number, text }: Line): void {
    const [first, ...rest] = words(text);
    if (first === 'covers') this.#covers.push(...rest);
    else if (first === 'asset') this.#asset(rest);
    else if (first === 'start') this.#begin(rest);
    else if (first === 'order') this.#order(text);
    else if (first === 'every') this.#every(rest, number);
    else if (first === 'silence') this.#silence(rest, number);
    else if (first === 'expect') this.#expect(rest, null, number, text);
    else if (looksLikeTime(first)) this.#timed(first, rest, number, text);
    else throw new Misreading(`"${first}" begins no line; valid: ${LINES}`);
  }

  #asset(rest: readonly string[]): void {
    this.#assets.push(parseAsset(rest, this.#assets));
  }

  #begin(rest: readonly string[]): void {
    if (this.#start !== null) throw new Misreading('the scenario has started already');
    this.#start = parseStart(rest[0] ?? '');
    this.#cursor = this.#end = this.#start.ms;
  }

  #order(text: string): void {
    const match = /^order\s+matters:\s*(\S.*)$/.exec(text);
    if (match === null) throw new Misreading('write order matters: REASON');
    this.#orderMatters = match[1];
  }

  #started(): Start {
    if (this.#start === null) throw new Misreading('before this comes a line: start 2019-09-01T10:00+02:00');
    if (this.#assets.length === 0) throw new Misreading('before this comes a line: asset SERIAL KIND');
    return this.#start;
  }

  #named(serial: string | null): ScenarioAsset {
    if (serial === null && this.#assets.length > 1) {
      throw new Misreading(`which asset? Write its serial: ${this.#assets.map((a) => a.serial).join(', ')}`);
    }
    return this.#assets.find((a) => a.serial === serial) ?? this.#assets[0];
  }

  #timed(time: string, rest: string[], line: number, text: string): void {
    const start = this.#started();
    const at = parseTime(time, start);
    this.#cursor = at;
    if (rest[0] === 'expect') {
      this.#end = Math.max(this.#end, at);
      this.#expect(rest.slice(1), at, line, text);
      return;
    }
    const fields = rest.findIndex((word) => word.includes('='));
    const lifecycle = rest.indexOf('lifecycle');
    if (lifecycle >= 0 && (fields < 0 || lifecycle < fields)) this.#lifecycle(at, rest, lifecycle, line);
    else this.#reading(at, rest, line);
  }

  #lifecycle(at: number, rest: readonly string[], where: number, line: number): void {
    const type = (rest[where + 1] ?? '').replace(/:$/, '');
    const more = [...rest.slice(0, where), ...rest.slice(where + 2)];
    const manner = takeManner(more, this.#assets, this.#started());
    this.#arrivals.push(lifecycleArrival(this.#named(manner.serial), at, type, more, manner, line));
  }

  #reading(at: number, rest: string[], line: number): void {
    const start = this.#started();
    const manner = takeManner(rest, this.#assets, start);
    const asset = this.#named(manner.serial);
    const fields = parseFields(kindNamed(asset.kind), rest, start);
    this.#arrivals.push(readingArrival(asset, at, 0, fields, manner, line));
  }

  #every(rest: string[], line: number): void {
    const start = this.#started();
    const { from, stepMs, count, more } = parseEvery(rest, this.#cursor, start);
    const manner = takeManner(more, this.#assets, start);
    const asset = this.#named(manner.serial);
    const fields = parseFields(kindNamed(asset.kind), more, start);
    for (let i = 0; i < count; i++) {
      const share = count === 1 ? 1 : i / (count - 1);
      this.#arrivals.push(readingArrival(asset, from + i * stepMs, share, fields, manner, line));
    }
    this.#cursor = from + (count - 1) * stepMs;
  }

  #silence(rest: readonly string[], line: number): void {
    this.#started();
    const from = this.#cursor;
    const to = from + parseDuration(rest[0] ?? '');
    if (rest.length > 1) throw new Misreading('write silence 3h: nobody is heard for so long');
    this.#silences.push({ line, from, to });
    this.#cursor = to;
    this.#end = Math.max(this.#end, to);
  }

  #keepsSilent({ from, to }: { from: number; to: number }): void {
    const heard = this.#arrivals.find((a) => a.topic === 'telemetry' && a.arrives > from && a.arrives < to);
    if (heard !== undefined) throw new Misreading(`the silence is broken by what line ${heard.line} lets arrive`);
  }

  #expect(rest: readonly string[], when: number | null, line: number, text: string): void {
    this.#expectations.push(parseExpectation(rest, this.#assets, this.#started(), when, line, text));
  }
}
