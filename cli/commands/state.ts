import type { AssetView } from '../../runtime/system/engine.ts';
import { expectOk } from '../client.ts';
import { type Command, urlOption } from '../command.ts';
import { printable, table, writeJson } from '../output.ts';
import { withInstance } from '../target.ts';

export const state: Command = {
  name: 'state',
  summary: 'Shows what is known of one asset: state, values, energy, counts.',
  positionals: ['SERIAL'],
  runtimeOptions: ['dataDir', 'json', 'logLevel'],
  options: { ...urlOption },
  details: ['Exit code 1 when the serial is unknown.'],
  examples: [
    { line: 'gridfold state PW-0001', doc: 'For people.' },
    { line: 'gridfold state PW-0001 --json', doc: 'As GET /v1/assets/PW-0001 answers it.' },
  ],
  run(call) {
    const [serial] = call.positionals;
    return withInstance(call, { create: false }, async (client) => {
      const answer = await client.get(`/v1/assets/${encodeURIComponent(serial)}`);
      if (answer.status === 404) {
        call.io.stderr.write(`There is no asset ${printable(serial)}.\n`);
        return 1;
      }
      const view = expectOk<AssetView>(answer);
      if (call.json) writeJson(call.io.stdout, view);
      else call.io.stdout.write(`${describe(view)}\n`);
      return 0;
    });
  },
};

/** The view as a few small tables. */
export function describe(view: AssetView): string {
  const head = [
    ['serial', view.serial],
    ['kind', view.kind],
    ['site', [view.siteId, view.slot].filter((part) => part !== null).join(' / ')],
    ['status', view.status],
    ['derates', view.derates.join(', ')],
    ['energy in', `${kwh(view.energy.inWh)} kWh`],
    ['energy out', `${kwh(view.energy.outWh)} kWh`],
    ['newest reading', view.eventTime],
    ['known since', view.recordTime],
    [
      'readings',
      `${view.counts.applied} applied, ${view.counts.duplicate} duplicate, ${view.counts.late} late, ${view.counts.invalid} with invalid fields`,
    ],
    [
      'position',
      `partition ${view.position.partition}, telemetry ${view.position.telemetry}, revision ${view.revision}`,
    ],
  ];
  const regions = Object.entries(view.regions).map(([name, { state, since }]) => [name, state, since]);
  const values = Object.entries(view.values).map(([name, { value, deviceTime, valid }]) => [
    name,
    value,
    deviceTime,
    valid ? '' : 'invalid',
  ]);
  return [
    ...head.map(([name, value]) => `${(name ?? '').padEnd(15)} ${printable(String(value ?? '-')) || '-'}`),
    '',
    table(['region', 'state', 'since'], regions),
    '',
    table(['value', 'is', 'device time', ''], values),
  ].join('\n');
}

function kwh(wh: number): string {
  return (wh / 1_000).toFixed(3);
}
