import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { type Config, ConfigError, type ConfigSources, loadConfig, printable } from './config.ts';
import { nearest } from './nearest.ts';
import { environmentName, flagName, type Option } from './option.ts';
import { optionNames, options } from './options.ts';

const kinds = {
  powerwall: { cadenceSeconds: 300, timeZone: 'UTC' },
  inverter: { cadenceSeconds: 600, timeZone: 'UTC' },
};
const load = (sources: Omit<ConfigSources, 'kinds'> = {}): Config => loadConfig({ kinds, ...sources }).config;

function problems(sources: Omit<ConfigSources, 'kinds'>): readonly string[] {
  try {
    load(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  return [];
}

describe('loadConfig', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gridfold-config-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (text: string): string => {
    const path = join(folder, 'gridfold.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('has defaults that pass their own checks', () => {
    const config = load();
    expect(config).toMatchObject({
      dataDir: '.gridfold',
      port: 4343,
      partitions: null,
      logLevel: 'info',
    });
    expect(config.cadenceSeconds).toEqual({ powerwall: 300, inverter: 600 });
    for (const name of optionNames) {
      const option: Option = options[name];
      if (option.type !== 'integer' || option.default === null) continue;
      expect(option.default, name).toBeGreaterThanOrEqual(option.min);
      expect(option.default, name).toBeLessThanOrEqual(option.max);
    }
    expectTypeOf(config.port).toEqualTypeOf<number>();
    expectTypeOf(config.retentionBytes).toEqualTypeOf<number | null>();
    expectTypeOf(config.logLevel).toEqualTypeOf<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'>();
  });

  it('lets flags win over the environment, the environment over the file, the file over defaults', () => {
    const path = file('port: 1\nhost: 127.0.0.2\npartitions: 8\ndataDir: a\n');
    const environment = { GRIDFOLD_PORT: '2', GRIDFOLD_HOST: '127.0.0.3' };
    expect(load({ file: path, environment, flags: { port: '3' } })).toMatchObject({
      port: 3,
      host: '127.0.0.3',
      partitions: 8,
      dataDir: 'a',
    });
  });

  it('merges values per kind, in every notation', () => {
    const path = file('cadenceSeconds: {powerwall: 10}\ntimeZone:\n  inverter: Europe/Rome\n');
    const config = load({ file: path, environment: { GRIDFOLD_CADENCE_SECONDS: 'inverter=60' } });
    expect(config.cadenceSeconds).toEqual({ powerwall: 10, inverter: 60 });
    expect(config.timeZone).toEqual({ powerwall: 'UTC', inverter: 'Europe/Rome' });
    expect(load({ flags: { cadenceSeconds: 'powerwall=1,inverter=2' } }).cadenceSeconds).toEqual({
      powerwall: 1,
      inverter: 2,
    });
  });

  it('reads JSON, and nested or dotted names', () => {
    expect(load({ file: file('{"kafka": {"topicPrefix": "x."}, "port": 5}') })['kafka.topicPrefix']).toBe('x.');
    expect(load({ file: file('kafka.topicPrefix: y.') })['kafka.topicPrefix']).toBe('y.');
    expect(load({ file: file('') }).port).toBe(4343);
  });

  it('lists all problems of all sources at once', () => {
    const path = file('prot: 5\npartitions: 0\nlogLevel: loud\ntimeZone: {inverter: Mars/Base}\n');
    const found = problems({
      file: path,
      environment: { GRIDFOLD_COMMIT_INTERVAL_MS: 'soon' },
      flags: { cadenceSeconds: 'windmill=4' },
    });
    expect(found.map((problem) => problem.replace(path, 'FILE'))).toEqual([
      'FILE: prot is not an option; did you mean port?',
      'FILE: partitions: must be a whole number from 1 to 256, not 0',
      'FILE: logLevel: must be one of trace, debug, info, warn, error, silent, not "loud"',
      'FILE: timeZone: for inverter "Mars/Base" is not an IANA time zone such as Europe/Berlin, not {"inverter":"Mars/Base"}',
      'GRIDFOLD_COMMIT_INTERVAL_MS: must be a whole number from 10 to 60000, not "soon"',
      '--cadence-seconds: "windmill" is not a kind; known: powerwall, inverter, not "windmill=4"',
    ]);
  });

  it('says where a file cannot be understood', () => {
    expect(problems({ file: file('port: 1\nport: 2\n') })[0]).toMatch(/gridfold\.yaml:2:1: /);
    expect(problems({ file: file('a: [1\n') })[0]).toMatch(/gridfold\.yaml:\d+:\d+: /);
    expect(problems({ file: file('- 1') })[0]).toContain('must be a map of options');
    expect(problems({ file: join(folder, 'none.yaml') })[0]).toContain('cannot be read (ENOENT)');
    // Never a prototype, whatever the key.
    expect(problems({ file: file('__proto__: {port: 1}\nconstructor: 2') })).toHaveLength(2);
  });

  it('finds contradictions between options', () => {
    expect(problems({ flags: { snapshotIntervalMs: '100', commitIntervalMs: '1000' } })[0]).toContain(
      'snapshotIntervalMs (100) is less than commitIntervalMs (1000)',
    );
  });

  it('never shows a secret', () => {
    const config = load({ environment: { GRIDFOLD_AUTH_TOKEN: 'hush' } });
    expect(config.authToken).toBe('hush');
    expect(JSON.stringify(printable(config))).not.toContain('hush');
    expect(problems({ file: file('authToken: [{hush: 1}]') }).join()).not.toContain('hush');
  });

  it('warns of variables it does not know and of an open door', () => {
    const environment = { GRIDFOLD_PROT: '1', GRIDFOLD_CRASH_AT: 'x', GRIDFOLD_DATA: 'y', PATH: '/bin' };
    const { warnings } = loadConfig({ kinds, environment, flags: { host: '0.0.0.0' } });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toBe('GRIDFOLD_PROT is not an option; did you mean GRIDFOLD_PORT?');
    expect(warnings[1]).toContain('host 0.0.0.0');
  });
});

describe('names', () => {
  it('follow from the option', () => {
    expect(environmentName('kafka.topicPrefix')).toBe('GRIDFOLD_KAFKA_TOPIC_PREFIX');
    expect(flagName('windowBytesPerBlock')).toBe('window-bytes-per-block');
    expect(new Set(optionNames.map(environmentName)).size).toBe(optionNames.length);
  });

  it('have a nearest one only when it is near', () => {
    expect(nearest('commit-interval', optionNames)).toBe('commitIntervalMs');
    expect(nearest('kafka.broker', optionNames)).toBe('kafka.brokers');
    expect(nearest('zzzzzz', optionNames)).toBeNull();
  });
});
