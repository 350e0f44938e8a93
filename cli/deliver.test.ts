import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from './client.ts';
import { Delivery } from './deliver.ts';
import type { InputTopic, OutgoingRecord } from './records.ts';
import { type FakeInstance, fakeInstance } from './testing/fake-instance.ts';

async function* records(count: number, make: (i: number) => Partial<OutgoingRecord> = () => ({})) {
  for (let i = 0; i < count; i++) {
    const topic: InputTopic = i % 10 === 0 ? 'lifecycle' : 'telemetry';
    yield { topic, line: i + 1, bytes: Buffer.from(`{"n":${i}}`), cut: false, ...make(i) };
  }
}

const refusal = (status: number) => ({ status, body: { status, code: 'malformed', detail: 'At byte 3: no.' } });

describe('Delivery', () => {
  let instance: FakeInstance;
  let client: Client;
  beforeEach(async () => {
    instance = await fakeInstance();
    client = new Client(instance.url, 'secret');
  });
  afterEach(async () => {
    client.close();
    await instance.close();
  });
  const sentTo = (path: string): number[] =>
    instance.requests
      .filter((request) => request.path === path)
      .flatMap((request) =>
        request.body
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).n),
      );

  it('sends every record once, in order per topic, in bounded requests', async () => {
    const report = await new Delivery(client).run(records(5_000));
    expect(report).toMatchObject({ records: 5_000, accepted: 5_000, refused: 0 });
    const telemetry = sentTo('/v1/telemetry');
    expect(telemetry).toHaveLength(4_500);
    expect(telemetry).toEqual(telemetry.toSorted((a, b) => a - b));
    expect(sentTo('/v1/lifecycle')).toHaveLength(500);
    expect(instance.requests.every(({ body }) => body.split('\n').length <= 2_001)).toBe(true);
    expect(instance.requests[0]).toMatchObject({ authorization: 'Bearer secret', type: 'application/x-ndjson' });
  });

  it('sends the lifecycle records before the readings that follow them', async () => {
    const topic = (i: number): InputTopic => (i === 0 ? 'lifecycle' : 'telemetry');
    await new Delivery(client).run(records(5_000, (i) => ({ topic: topic(i) })));
    expect(instance.requests.map(({ path }) => path)).toEqual([
      '/v1/lifecycle',
      '/v1/telemetry',
      '/v1/telemetry',
      '/v1/telemetry',
    ]);
  });

  it('splits by bytes too', async () => {
    const long = Buffer.from(`{"n":1,"x":"${'x'.repeat(300_000)}"}`);
    await new Delivery(client).run(records(4, () => ({ topic: 'telemetry', bytes: long })));
    expect(instance.requests).toHaveLength(4);
  });

  it('reports refused lines by their number in the input', async () => {
    instance.door = ({ path, body }) => {
      const lines = body.trim().split('\n');
      const line = lines.findIndex((text) => JSON.parse(text).n === 7) + 1;
      if (path !== '/v1/telemetry') return undefined;
      const errors = [{ line, reason: 'unknown_kind', detail: 'no such kind' }];
      return { status: 200, body: { accepted: lines.length - 1, refused: 1, errors } };
    };
    const report = await new Delivery(client).run(records(20));
    expect(report).toMatchObject({ accepted: 19, refused: 1, reasons: { unknown_kind: 1 } });
    expect(report.examples).toEqual([{ line: 8, reason: 'unknown_kind', detail: 'no such kind' }]);
  });

  it('finds the line that spoils a whole request', async () => {
    instance.door = ({ body }) => (body.includes('{"n":13}') ? refusal(400) : undefined);
    const report = await new Delivery(client).run(records(50, () => ({ topic: 'telemetry' })));
    expect(report).toMatchObject({ accepted: 49, refused: 1, reasons: { malformed: 1 } });
    expect(report.examples[0].line).toBe(14);
    expect(sentTo('/v1/telemetry').filter((n) => n === 12).length).toBeGreaterThan(1);
  });

  it('asks again when the door is busy', async () => {
    let busy = 2;
    instance.door = () => (busy-- > 0 ? { status: 503, body: { code: 'busy' } } : undefined);
    expect(await new Delivery(client).run(records(5, () => ({ topic: 'telemetry' })))).toMatchObject({ accepted: 5 });
  });

  it('does not send what is too long to be a record', async () => {
    const report = await new Delivery(client).run(records(2, (i) => ({ topic: 'telemetry', cut: i === 0 })));
    expect(report).toMatchObject({ accepted: 1, refused: 1, reasons: { line_too_long: 1 } });
  });

  it('ends with the reason when the instance is away or does not let us in', async () => {
    instance.door = () => ({ status: 401, body: { code: 'not_authenticated', detail: 'Show a token.' } });
    await expect(new Delivery(client).run(records(3))).rejects.toMatchObject({ code: 'not_authenticated' });
    const away = new Client('http://127.0.0.1:9', null);
    await expect(new Delivery(away).run(records(3))).rejects.toMatchObject({ code: 'instance_unreachable' });
  });
});
