import { Misreading } from './script.ts';

const OPEN = '[{(';
const CLOSE = ']})';

/** The line without its comment: ` #` outside of quotes and brackets begins one. */
export function withoutComment(line: string): string {
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '"') quoted = !quoted;
    if (line[i] === '#' && !quoted && (i === 0 || /\s/.test(line[i - 1]))) return line.slice(0, i).trimEnd();
  }
  return line.trimEnd();
}

/** Splits at white space outside of quotes and brackets; a comparison may stand with or without spaces around it. */
export function words(line: string): string[] {
  const found: string[] = [];
  let word = '';
  let quoted = false;
  let depth = 0;
  for (const c of line) {
    if (c === '"') quoted = !quoted;
    else if (!quoted && OPEN.includes(c)) depth++;
    else if (!quoted && CLOSE.includes(c)) depth--;
    if (/\s/.test(c) && !quoted && depth <= 0) {
      if (word !== '') found.push(word);
      word = '';
    } else word += c;
  }
  if (quoted) throw new Misreading('a quote is not closed');
  if (depth !== 0) throw new Misreading('brackets do not match');
  if (word !== '') found.push(word);
  return joined(found);
}

const COMPARISON = /^(=|!=|<=|>=|<|>)$/;

/** `powerW = 5` is `powerW=5`. */
function joined(list: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < list.length; i++) {
    const next = list[i + 1];
    if (next !== undefined && COMPARISON.test(next) && list[i + 2] !== undefined) {
      out.push(`${list[i]}${next}${list[i + 2]}`);
      i += 2;
    } else out.push(list[i]);
  }
  return out;
}

/** Parts of `[a, b, c]`; null when the text is no list. */
export function listItems(text: string): string[] | null {
  if (!text.startsWith('[') || !text.endsWith(']')) return null;
  const inner = text.slice(1, -1).trim();
  return inner === '' ? [] : inner.split(',').map((item) => item.trim());
}

/** Text without the quotes around it, where there are some. */
export function unquoted(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
