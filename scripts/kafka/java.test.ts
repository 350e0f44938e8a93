import { expect, it } from 'vitest';
import { majorVersion } from './java.ts';

it.each([
  ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17],
  ['openjdk version "21" 2023-09-19', 21],
  ['java version "1.8.0_202"', 8],
  ['Picked up JAVA_TOOL_OPTIONS: -Dx\nopenjdk version "25-ea" 2025-09-16', 25],
  ['something else', null],
])('reads the major version out of %j', (printed, major) => {
  expect(majorVersion(printed)).toBe(major);
});
