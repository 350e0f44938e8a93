import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Take minutes: begun last, they would keep everybody waiting. */
const LONG = [
  'test/kafka/faults/faults.test.ts',
  'test/crash/crash.test.ts',
  'test/acceptance/recordings.test.ts',
  'test/acceptance/order.test.ts',
  'test/acceptance/acn.test.ts',
];

/** Long test files first, the others in vitest's own order. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(name));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
