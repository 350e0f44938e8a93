import { flagName, type Option } from '../runtime/system/option.ts';
import { type OptionName, optionNames, options } from '../runtime/system/options.ts';
import { type Command, type CommandOption, commonOptions } from './command.ts';

const WIDTH = 100;

/** `gridfold --help`. */
export function generalHelp(commands: readonly Command[]): string {
  return [
    'Gridfold: state and facts of an energy fleet, folded from its log.',
    '',
    'Usage: gridfold COMMAND [options]',
    '',
    'Commands:',
    ...rows(commands.map((command) => [usage(command), command.summary])),
    '',
    'Every command has --help with examples, --json (one JSON value on stdout, messages on stderr) and',
    '--config FILE. Options can also stand in the environment, GRIDFOLD_DATA_DIR for --data-dir.',
    '',
    'Exit codes: 0 done; 1 what was asked for is false or failed; 2 wrong usage or configuration.',
    '',
    'Examples:',
    '  gridfold run                                       everything in one process, with a demo fleet',
    `  gridfold ingest readings.ndjson.gz                 records from a file`,
    `  gridfold sql "select * from state_intervals_current limit 5"`,
    '  gridfold state PW-0001                             what is known of one asset',
    '',
  ].join('\n');
}

/** `gridfold COMMAND --help`. */
export function commandHelp(command: Command): string {
  const shown = command.allOptions === true ? optionNames : command.runtimeOptions;
  const runtime = shown.filter((name) => !('secret' in options[name])).map(runtimeRow);
  const own = Object.entries({ ...command.options, ...commonOptions }).map(([name, option]) => ownRow(name, option));
  return [
    `gridfold ${usage(command)}`,
    '',
    ...wrap(command.summary, 0),
    ...(command.details ?? []).flatMap((paragraph) => ['', ...wrap(paragraph, 0)]),
    '',
    'Options:',
    ...rows([...own, ...runtime]),
    '',
    'Examples:',
    ...command.examples.flatMap(({ line, doc }) => [`  ${line}`, ...wrap(doc, 6)]),
    '',
  ].join('\n');
}

function usage(command: Command): string {
  return [command.name, ...command.positionals].join(' ');
}

function ownRow(name: string, option: CommandOption): [string, string] {
  const value = option.value ?? (option.type === 'integer' || option.type === 'number' ? 'N' : '');
  return [`--${name}${value === '' ? '' : ` ${value}`}`, option.doc];
}

function runtimeRow(name: OptionName): [string, string] {
  const option: Option = options[name];
  const value = { text: ' TEXT', integer: ' N', word: ' WORD', flag: '' }[option.type as string] ?? ' KIND=VALUE,...';
  const standard =
    'default' in option && option.default !== null && option.type !== 'flag' ? ` Default ${option.default}.` : '';
  const words = option.type === 'word' ? ` One of ${option.words.join(', ')}.` : '';
  const or = name === 'sim' ? ', --no-sim' : '';
  return [`--${flagName(name)}${value}${or}`, `${option.doc}${words}${standard}`];
}

function rows(entries: readonly (readonly [string, string])[]): string[] {
  const left = Math.min(28, Math.max(...entries.map(([name]) => name.length)));
  return entries.flatMap(([name, doc]) => {
    const [first, ...more] = wrap(doc, left + 4);
    const head = `  ${name}`;
    return head.length <= left + 2 ? [head.padEnd(left + 4) + first.trimStart(), ...more] : [head, first, ...more];
  });
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH - indent) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => ' '.repeat(indent) + one);
}
