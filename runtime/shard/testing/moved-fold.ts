import { segmentPlaceOf } from '../../../snapshots/keys.ts';
import type { ExportedSnapshot, StateRow } from '../../../snapshots/mirrored.ts';
import { encodePosition } from '../position.ts';
import { batchOf, openTestFold, type TestFold, type TestFoldOptions } from './test-fold.ts';

/** A fold whose windows come piece by piece, as the test lets them. */
export interface MovedFold extends TestFold {
  /** Folds records as one batch; lets pieces come where the fold stops for them. Resolves with how often it stopped. */
  feedAll(topic: 'telemetry' | 'lifecycle', records: readonly object[], clock: number): Promise<number>;
  /** Lets one piece come. */
  letOneCome(): Promise<void>;
  /** Lets all come. */
  letAllCome(): Promise<void>;
}

/** Another process that goes on from a snapshot of `from`, taken now; its windows come in pieces of so many segments. */
export async function moveFold(from: TestFold, segments: number, options: TestFoldOptions): Promise<MovedFold> {
  const { type, state, position } = from.fold;
  await state.snapshot({ position: encodePosition(position), versions: {} }, Promise.resolve());
  const exported = (await state.export(null)) as ExportedSnapshot;
  const rows: StateRow[] = [];
  for await (const list of exported.rows()) rows.push(...list);
  const windows = rows.filter(({ key }) => segmentPlaceOf(key) !== null).reverse();
  const gate = new Gate();
  const { name, layout, manifest } = exported;
  const mirrored = {
    number: name.number,
    layout,
    manifest,
    rows: async function* () {
      yield rows.filter(({ key }) => segmentPlaceOf(key) === null);
    },
    windows: async function* () {
      for (let at = 0; at < windows.length; at += segments) {
        await gate.pass();
        yield windows.slice(at, at + segments);
      }
    },
  };
  const moved = await openTestFold(type, { ...options, replaceWith: mirrored });
  const { fold } = moved;
  const letOneCome = async () => {
    const more = fold.state.filling?.more();
    gate.open();
    await more;
  };
  return {
    ...moved,
    letOneCome,
    async letAllCome() {
      while (fold.state.filling !== null) await letOneCome();
    },
    async feedAll(topic, records, clock) {
      const batch = batchOf(records, fold.position[topic], clock);
      let stops = 0;
      for (let at = 0; at < batch.count; ) {
        at = fold[topic](batch, at, batch.count, clock);
        if (at === batch.count) break;
        stops += 1;
        await letOneCome();
      }
      return stops;
    },
  };
}

/** Lets through as many as it was opened times. */
class Gate {
  #opened = 0;
  #wake = () => {};

  open(): void {
    this.#opened += 1;
    this.#wake();
  }

  async pass(): Promise<void> {
    while (this.#opened === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#opened -= 1;
  }
}
