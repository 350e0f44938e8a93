import { Misreading, type Problem } from './script.ts';
import { unquoted, withoutComment, words } from './words.ts';

/** A line of a scenario as written, with what a row of its examples puts in. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** One scenario of a file, before its lines are understood. */
export interface ScenarioBlock {
  readonly line: number;
  readonly title: string;
  readonly body: readonly Line[];
}

/** Splits a file into its scenarios, one for each row of examples where there are some. */
export function splitBlocks(file: string, text: string, problems: Problem[]): ScenarioBlock[] {
  const blocks: { line: number; title: string; body: Line[] }[] = [];
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = withoutComment(raw).trim();
    const number = i + 1;
    if (line === '') return;
    const title = /^scenario\s+(.+)$/.exec(line);
    if (title !== null) blocks.push({ line: number, title: title[1], body: [] });
    else if (blocks.length > 0) blocks[blocks.length - 1].body.push({ number, text: line });
    else problems.push({ file, line: number, message: 'before this comes a line: scenario TITLE' });
  });
  if (blocks.length === 0) problems.push({ file, line: 1, message: 'the file has no line: scenario TITLE' });
  return blocks.flatMap((block) => withExamples(file, block, problems));
}

/** `{name}` in the lines above `examples` stands for the value in each of the rows below it; a value may be in quotes. */
function withExamples(file: string, block: ScenarioBlock, problems: Problem[]): ScenarioBlock[] {
  const at = block.body.findIndex((line) => /^examples(\s|$)/.test(line.text));
  if (at < 0) return [block];
  const head = block.body[at];
  const names = words(head.text).slice(1);
  if (names.length === 0) {
    problems.push({ file, line: head.number, message: 'write examples NAME NAME..., then a row of values per line' });
    return [];
  }
  const body = block.body.slice(0, at);
  return block.body.slice(at + 1).flatMap((row) => {
    const cells = cellsOf(row, names, file, problems);
    if (cells === null) return [];
    const fill = (text: string) => text.replaceAll(/\{(\w+)\}/g, (all, name) => cells.get(name) ?? all);
    const shown = names.map((name) => `${name}=${cells.get(name)}`).join(' ');
    const filled = fill(block.title);
    const title = filled === block.title ? `${filled} (${shown})` : filled;
    return [{ line: row.number, title, body: body.map(({ number, text }) => ({ number, text: fill(text) })) }];
  });
}

function cellsOf(
  row: Line,
  names: readonly string[],
  file: string,
  problems: Problem[],
): ReadonlyMap<string, string> | null {
  try {
    const cells = words(row.text);
    if (cells.length === names.length) return new Map(names.map((name, i) => [name, unquoted(cells[i])]));
    throw new Misreading(`the row has ${cells.length} values, the head has ${names.length}: ${names.join(', ')}`);
  } catch (error) {
    if (!(error instanceof Misreading)) throw error;
    problems.push({ file, line: row.number, message: error.message });
    return null;
  }
}
