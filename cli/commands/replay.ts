import { openRecording, degrade, recordings, type RecordingOptions } from '../../sim/recordings/index.ts';
import { type Call, type Command, type CommandOption, urlOption } from '../command.ts';
import { feed } from '../feed.ts';
import { recordsOfSource } from '../records.ts';
import { withInstance } from '../target.ts';
import { UsageError } from '../usage-error.ts';
import { noWaitOption } from './ingest.ts';

const recordingOptions: Readonly<Record<string, CommandOption & { readonly key: keyof RecordingOptions }>> = {
  'serial-prefix': {
    key: 'serialPrefix',
    type: 'text',
    value: 'TEXT',
    doc: 'Begins the serials that the format makes, or is put before those of the file.',
  },
  'site-id': { key: 'siteId', type: 'text', value: 'ID', doc: 'Site of the assets.' },
  'time-zone': {
    key: 'timeZone',
    type: 'text',
    value: 'ZONE',
    doc: 'IANA zone of the site, and of times without offset.',
  },
  at: {
    key: 'at',
    type: 'text',
    value: 'TIME',
    doc: 'Capture time of a file that holds one instant: RFC 3339 or epoch milliseconds.',
  },
  'capacity-wh': { key: 'capacityWh', type: 'number', min: 1, max: 1e9, doc: 'Capacity of the battery, in Wh.' },
  'rated-w': { key: 'ratedW', type: 'number', min: 1, max: 1e9, doc: 'Rated power, in W.' },
};

const degradeOptions = {
  duplicates: { type: 'number', max: 1, doc: 'Share of the readings that come twice, for instance 0.03.' },
  delayed: { type: 'number', max: 1, doc: 'Share of the readings that come late, for instance 0.2.' },
  'max-delay-ms': { type: 'integer', min: 1, max: 86_400_000, doc: 'Longest delay. Default 6 h.' },
  seed: { type: 'integer', max: 0xffff_ffff, doc: 'Seed of duplicates and delays. Default 1.' },
} as const satisfies Record<string, CommandOption>;

const formats = Object.values(recordings).map(({ format, description }) => `${format}: ${description}`);

export const replay: Command = {
  name: 'replay',
  summary: 'Feeds a recording of real assets as if it happened: readings are received when they were made.',
  positionals: ['FORMAT', 'FILE'],
  runtimeOptions: ['dataDir', 'json', 'logLevel'],
  options: { ...recordingOptions, ...degradeOptions, ...urlOption, ...noWaitOption },
  details: ['Formats:', ...formats],
  examples: [
    { line: 'gridfold replay seattle-5min seattle_2022_5min.csv', doc: 'A year of a home with a battery and a roof.' },
    {
      line: 'gridfold replay solarma plant.csv --duplicates 0.03 --delayed 0.2 --seed 7',
      doc: 'The same as an unreliable network delivers it; the facts become the same.',
    },
    {
      line: 'gridfold replay powerwall-api vitals.json --at 2022-07-08T12:00:00Z',
      doc: 'An answer of the local Powerwall API.',
    },
  ],
  async run(call) {
    const [format, file] = call.positionals;
    if (!Object.hasOwn(recordings, format)) {
      throw new UsageError(`there is no format "${format}"; the formats are ${Object.keys(recordings).join(', ')}`);
    }
    const source = openRecording(format, file, recordingOptionsOf(call));
    const { duplicates, delayed, seed } = call.values;
    const isDegraded = duplicates !== undefined || delayed !== undefined;
    const delivered = isDegraded
      ? degrade(source, {
          seed: Number(seed ?? 1),
          duplicates: Number(duplicates ?? 0),
          delayed: Number(delayed ?? 0),
          maxDelayMs: call.values['max-delay-ms'] as number | undefined,
        })
      : source;
    return withInstance(call, { create: true }, (client) => feed(call, client, recordsOfSource(delivered)));
  },
};

function recordingOptionsOf(call: Call): RecordingOptions {
  const given: Record<string, unknown> = {};
  for (const [flag, { key }] of Object.entries(recordingOptions)) {
    const value = call.values[flag];
    if (value !== undefined) given[key] = key === 'at' && /^\d+$/.test(String(value)) ? Number(value) : value;
  }
  return given;
}
