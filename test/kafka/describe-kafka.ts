import { randomUUID } from 'node:crypto';
import { describe, inject } from 'vitest';
import { whyNoJava } from '../../scripts/kafka/java.ts';

/** What a suite gets to work with. */
export interface KafkaSuite {
  /** Host and port of the broker that the suites of this run share; the first call starts it. */
  bootstrap(): Promise<string>;
  /** A name that no other suite uses, for topics, groups and transactional ids. */
  unique(name: string): string;
}

/**
 * A suite that runs against a real broker. It is skipped where there is no Java, except in CI, where it fails.
 * Suites that stop, kill or configure a broker start their own with `startBroker`.
 */
export function describeKafka(name: string, suite: (kafka: KafkaSuite) => void): void {
  const missing = process.env.CI ? null : whyNoJava();
  if (missing !== null) {
    describe.skip(`${name} (skipped: a Kafka broker ${missing})`, () => suite(kafkaSuite()));
    return;
  }
  describe(name, () => suite(kafkaSuite()));
}

function kafkaSuite(): KafkaSuite {
  const prefix = randomUUID().slice(0, 8);
  return { bootstrap: sharedBootstrap, unique: (name) => `${prefix}-${name}` };
}

async function sharedBootstrap(): Promise<string> {
  const answer = await fetch(inject('sharedBroker'));
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}
