import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Folder, gridfold } from './gridfold.ts';
import { history, reprocessStory } from './reprocess-story.ts';

const folder = new Folder();
afterAll(() => folder.remove());

test('a history is folded once more beside the live fold, through crashes, and shown in its place', async () => {
  await reprocessStory(folder);
}, 300_000);

test('files are folded into a set of their own, one after the other', async () => {
  const files = [history(0, 20), history(20, 20)].map((lines, i) => {
    const file = join(folder.base, `lake-${i}.ndjson`);
    writeFileSync(file, `${lines.join('\n')}\nno record\n`);
    return file;
  });
  for (const [i, file] of files.entries()) {
    const { set } = await folder.json<{ set: object }>('reprocess', '--input', file, '--into', 'lake');
    const total = history(0, 20 * (i + 1)).length;
    expect(set).toMatchObject({ input: 'files', status: 'following', folded: total, total });
  }
}, 120_000);

test.each([
  [['--into', 'v3'], 2, 'one of --from TIME'],
  [['--from', 'start'], 2, '--into NAME is missing'],
  [['--from', 'yesterday', '--into', 'v3'], 2, 'RFC 3339'],
  [['--from', '2999-01-01T00:00:00Z', '--into', 'v3'], 1, 'reprocess_time_invalid'],
  [['--from', 'start', '--into', 'main'], 1, 'reprocess_name_invalid'],
  [['cut-over', 'v3'], 1, 'reprocess_unknown'],
  [['drop'], 2, 'the NAME of a set'],
  [['undo', 'v3'], 2, 'none of list, compare, cut-over, drop'],
])('%j is refused in words', async (args, code, words) => {
  const outcome = await gridfold(['reprocess', ...args, '--data-dir', folder.dir]);
  expect(outcome).toMatchObject({ code });
  expect(outcome.stderr).toContain(words);
});
