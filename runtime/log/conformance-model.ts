import fc from 'fast-check';
import { expect } from 'vitest';
import { topics } from './contract.ts';
import { commitWith, nextRecords, numbered, text, valuesOf } from './testing/collect.ts';
import type { LogUnderTest } from './testing/under-test.ts';

/** A call of the log. */
interface Step {
  readonly do: 'append' | 'commit' | 'claim' | 'reopen';
  readonly count: number;
}

const stepOf = (what: Step['do'], min: number, max: number) =>
  fc.record({ do: fc.constant(what), count: fc.integer({ min, max }) });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: stepOf('append', 1, 40) },
  { weight: 4, arbitrary: stepOf('commit', 0, 9) },
  { weight: 1, arbitrary: stepOf('claim', 0, 0) },
  { weight: 1, arbitrary: stepOf('reopen', 0, 0) },
);

/** Random sequences of calls leave in the log what they leave in a list. */
export async function agreesWithModel(makeLog: () => Promise<LogUnderTest>): Promise<void> {
  const run = async (steps: readonly Step[]) => {
    const under = await makeLog();
    try {
      await follow(under, steps);
    } finally {
      await under.destroy();
    }
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), run), { numRuns: 15 });
}

async function follow(under: LogUnderTest, steps: readonly Step[]): Promise<void> {
  const model = { telemetry: [] as string[], derived: [] as string[], journal: [] as string[] };
  let log = under.log;
  let claim = await log.claim('journal', 0);
  let appends: Promise<unknown>[] = [];
  for (const [i, { do: what, count }] of steps.entries()) {
    const records = numbered(count, `${what}-${i}`);
    const texts = records.map(({ value }) => text(value));
    if (what === 'append') {
      model.telemetry.push(...texts);
      appends.push(log.append(topics.telemetry, 0, records));
    } else if (what === 'commit') {
      model.derived.push(...texts);
      model.journal.push(`j-${i}`);
      await log.commit(claim, commitWith({ [topics.derived]: records }, `j-${i}`));
    } else {
      if (what === 'reopen') {
        await Promise.all(appends);
        appends = [];
        log = await under.reopen();
      }
      claim = await log.claim('journal', 0);
    }
  }
  await Promise.all(appends);
  for (const [topic, expected] of Object.entries(model)) {
    const { start, end } = log.extent(topic, 0);
    const from = start === end ? 0 : start;
    expect(valuesOf(await nextRecords(log, topic, 0, from, expected.length))).toEqual(expected);
  }
}
