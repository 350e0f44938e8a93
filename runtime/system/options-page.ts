import { environmentName, flagName, type Option } from './option.ts';
import { optionNames, options } from './options.ts';

/** docs/options.md, from the table of options; a test holds the two together. */
export function optionsPage(kinds: Readonly<Record<string, { cadenceSeconds: number; timeZone: string }>>): string {
  const rows = optionNames.map((name) => {
    const option: Option = options[name];
    const flag = option.secret === true ? '' : `\`--${flagName(name)}\``;
    const cells = [
      `\`${name}\``,
      `\`${environmentName(name)}\``,
      flag,
      bounds(option),
      standard(name, option, kinds),
      option.doc,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '# Options',
    '',
    'Read from the defaults, the configuration file (`--config FILE` or `GRIDFOLD_CONFIG`; YAML or JSON), the environment',
    'and the command line; the later ones win. They are checked together at start: every problem is listed, and the exit',
    'code is 2. Options with a dot may be nested in the file (`kafka: {brokers: …}`). Values per kind are maps in the file',
    'and `powerwall=300,inverter=600` elsewhere. Secrets have no flag.',
    '',
    '| option | environment | flag | values | default | meaning |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function bounds(option: Option): string {
  switch (option.type) {
    case 'integer':
      return `${option.min} to ${option.max}`;
    case 'word':
      return option.words.join(', ');
    case 'flag':
      return 'true, false';
    case 'per-kind-integer':
      return `per kind, ${option.min} to ${option.max}`;
    case 'per-kind-text':
      return 'per kind, text';
    case 'text':
      return 'text';
  }
}

function standard(
  name: string,
  option: Option,
  kinds: Readonly<Record<string, { cadenceSeconds: number; timeZone: string }>>,
): string {
  if ('default' in option) return option.default === null ? 'not set' : `\`${option.default}\``;
  const key = name as 'cadenceSeconds' | 'timeZone';
  const values = Object.entries(kinds).map(([kind, defaults]) => `${kind}=${defaults[key]}`);
  return `\`${values.join(',')}\``;
}
