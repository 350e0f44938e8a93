import { join } from 'node:path';
import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { type Command, urlOption } from '../command.ts';
import { startFleet } from '../fleet.ts';
import { count, writeJson } from '../output.ts';
import { configOf, findRemote } from '../target.ts';

export const sim: Command = {
  name: 'sim',
  summary: 'Simulates a fleet in real time against a running instance, through its public door.',
  positionals: [],
  runtimeOptions: ['dataDir', 'json', 'logLevel'],
  options: {
    ...urlOption,
    assets: { type: 'integer', min: 1, max: 1_000_000, doc: 'Powerwalls and inverters together. Default 50.' },
    cabinets: {
      type: 'integer',
      max: 250_000,
      doc: 'Power cabinets with four charging stalls each, beside them. Default 0.',
    },
    megapacks: { type: 'integer', max: 1_000_000, doc: 'Megapacks, four to a site, beside them. Default 0.' },
    seed: { type: 'integer', max: 0xffff_ffff, doc: 'The same seed gives the same fleet and events. Default 1.' },
    'cadence-ms': {
      type: 'integer',
      min: 100,
      max: 3_600_000,
      doc: 'Time between two readings of an asset. Default 10000.',
    },
    seconds: { type: 'integer', min: 1, max: 31_536_000, doc: 'Ends after so long; else Ctrl-C ends it.' },
  },
  examples: [
    { line: 'gridfold sim --assets 1000 --seed 2', doc: 'A thousand more assets for the instance on the data folder.' },
    { line: 'gridfold sim --url http://gridfold.local:4343 --seconds 60', doc: 'A minute, elsewhere.' },
  ],
  async run(call) {
    const { io, values } = call;
    const { first } = io.stop;
    const { config } = configOf(call);
    const client = await findRemote(call, config);
    if (client === null) {
      throw new GridfoldError(
        'no_instance',
        'stop',
        `No instance runs on ${config.dataDir}: start "gridfold run --no-sim", or name one with --url.`,
      );
    }
    const seed = Number(values.seed ?? 1);
    const assets = Number(values.assets ?? 50);
    const fleet = startFleet({
      url: client.url,
      token: client.token,
      assets,
      cabinets: Number(values.cabinets ?? 0),
      megapacks: Number(values.megapacks ?? 0),
      seed,
      cadenceMs: Number(values['cadence-ms'] ?? 10_000),
      file: values.url === undefined ? join(config.dataDir, `fleet-${seed}.json`) : null,
      warn: (message) => io.stderr.write(`${message}\n`),
    });
    io.stderr.write(`${count(assets, 'asset')} simulated against ${client.url}; Ctrl-C ends it\n`);
    let timer: NodeJS.Timeout | undefined;
    const elapsed = new Promise<void>((resolve) => {
      if (values.seconds !== undefined) timer = setTimeout(resolve, Number(values.seconds) * 1_000);
    });
    await Promise.race([first, elapsed]);
    clearTimeout(timer);
    await fleet.stop();
    client.close();
    if (call.json) writeJson(io.stdout, { assets, sent: fleet.sent });
    else io.stdout.write(`${count(fleet.sent, 'record')} sent\n`);
    return 0;
  },
};
