import { describeKafka } from '../../../test/kafka/describe-kafka.ts';
import { logConformance } from '../conformance.ts';
import { testLog } from './testing/test-log.ts';

describeKafka('Kafka log', ({ bootstrap }) => {
  logConformance('Kafka', async () => testLog(await bootstrap()));
});
