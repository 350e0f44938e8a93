import type { PartitionState } from '../contract.ts';
import { readWindow, schemas, setColumn, touchAsset, windowEntry } from './fixture.ts';

export interface AssetModel {
  energy: number;
  count: number;
  side: object | null;
  life: object | null;
}

/** What a partition's state must read as: plain objects. */
export interface StateModel {
  position: number;
  assets: Map<string, AssetModel>;
  windows: Map<number, [number, number][]>;
  names: string[];
}

export function emptyModel(): StateModel {
  return { position: 0, assets: new Map(), windows: new Map(), names: [] };
}

export type Step =
  | { readonly type: 'change'; readonly asset: number; readonly value: number }
  | { readonly type: 'side' | 'life'; readonly asset: number; readonly value: number | null }
  | { readonly type: 'append'; readonly asset: number; readonly length: number }
  | { readonly type: 'intern'; readonly value: number };

/** Does a step to the state and to the model. */
export function apply(state: PartitionState, model: StateModel, step: Step): void {
  model.position++;
  if (step.type === 'intern') {
    const name = `name ${step.value}`;
    if (!model.names.includes(name)) model.names.push(name);
    if (state.intern(name) !== model.names.indexOf(name) + 1) throw new Error('a name changed its number');
    return;
  }
  const kind = step.asset % schemas.length;
  const serial = `S-${step.asset}`;
  const { block, slot } = touchAsset(state, kind, serial);
  let asset = model.assets.get(`${kind}/${serial}`);
  if (asset === undefined) {
    model.assets.set(`${kind}/${serial}`, (asset = { energy: 0, count: 0, side: null, life: null }));
  }
  if (step.type === 'change') {
    setColumn(block, kind === 0 ? 'energy' : 'power', slot, step.value);
    asset.energy = step.value;
    if (kind === 0) setColumn(block, 'count', slot, ++asset.count);
  } else if (step.type === 'append') {
    state.appendWindow(block, windowEntry(step.length, model.position), step.length);
    const window = model.windows.get(block.id) ?? [];
    model.windows.set(block.id, [...window, [step.length, model.position]]);
  } else {
    const value = step.value === null ? null : { v: step.value, list: ['x'.repeat(step.value % 50)] };
    if (step.type === 'side') state.write(block, slot, value);
    else state.writeLife(block, slot, value);
    asset[step.type] = value;
  }
}

/** Everything the state holds, in the model's terms. Throws what the state throws. */
export function contentOf(state: PartitionState, position: number): StateModel {
  const model = emptyModel();
  model.position = position;
  for (const id of state.blockIds()) {
    const block = state.block(id);
    if (block === null) continue;
    const kind = Math.floor(id / state.blocksPerKind);
    for (let slot = 0; slot < block.count; slot++) {
      model.assets.set(`${kind}/${block.serial(slot)}`, {
        energy: block.get(0, slot),
        count: kind === 0 ? block.get(2, slot) : 0,
        side: state.read(block, slot),
        life: state.readLife(block, slot),
      });
    }
    const { entries } = readWindow(state, block);
    if (entries.length > 0) model.windows.set(id, entries);
  }
  for (let i = 1; state.name(i) !== null; i++) model.names.push(state.name(i)!);
  return model;
}

/** The model with windows cut to `reach` bytes, as plain data in one order. */
export function comparable(model: StateModel, reach: number): unknown {
  const windows = [...model.windows].map(([id, entries]) => {
    let bytes = 0;
    let from = entries.length;
    while (from > 0 && bytes + entries[from - 1][0] <= reach) bytes += entries[--from][0];
    return [id, entries.slice(from)] as const;
  });
  return {
    position: model.position,
    assets: Object.fromEntries([...model.assets].sort(([a], [b]) => (a < b ? -1 : 1))),
    windows: windows.filter(([, entries]) => entries.length > 0).sort(([a], [b]) => a - b),
    names: model.names,
  };
}

export function copyModel(model: StateModel): StateModel {
  return structuredClone(model);
}
