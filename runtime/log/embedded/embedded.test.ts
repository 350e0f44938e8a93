import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logConformance } from '../conformance.ts';
import { openEmbeddedLog } from './embedded.ts';

logConformance('embedded', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gridfold-log-'));
  let log = await openEmbeddedLog({ dir, partitions: 2 });
  return {
    log,
    reopen: async () => {
      await log.close();
      log = await openEmbeddedLog({ dir, partitions: 2 });
      return log;
    },
    destroy: async () => {
      await log.close();
      await rm(dir, { recursive: true });
    },
  };
});
