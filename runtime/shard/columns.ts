import type { ColumnSpec } from '../../snapshots/schema.ts';
import type { Cursor } from '../../snapshots/cursor.ts';

/** Columns that every kind's state has: the shard keeps `engine` ones, the kind's fold keeps `fold` ones. */
export const assetColumns = {
  lastDeviceTime: { type: 'f64', unit: 'ms', doc: 'Device time of the newest reading in order; 0 = none yet' },
  lastReceiveTime: { type: 'f64', unit: 'ms', doc: 'Receive time of that reading: the record time of the state' },
  fresh: { type: 'u32', doc: 'Fields (by bit) that the newest reading reported' },
  invalidFields: { type: 'u32', doc: 'Fields (by bit) whose newest report was invalid' },
  heardAt: {
    type: 'f64',
    unit: 'ms',
    scope: 'engine',
    doc: 'Partition clock when the newest reading in order was folded',
  },
  due: {
    type: 'f64',
    unit: 'ms',
    scope: 'engine',
    default: Number.POSITIVE_INFINITY,
    doc: 'Partition clock at which the silence timer fires next',
  },
  silence: {
    type: 'u8',
    scope: 'engine',
    doc: 'Silence announced by timers since the newest reading: 0 none, 1 stale, 2 offline',
  },
  revision: { type: 'u32', scope: 'engine', doc: 'Grows by one with each input that was applied' },
  applied: { type: 'u32', scope: 'engine', doc: 'Readings folded' },
  duplicates: { type: 'u32', scope: 'engine', doc: 'Readings dropped as duplicates' },
  late: { type: 'u32', scope: 'engine', doc: 'Readings that came out of order and were re-folded' },
  invalid: { type: 'u32', scope: 'engine', doc: 'Readings that carried an invalid value or were set aside' },
  quarantined: { type: 'u8', scope: 'engine', doc: '1 after the fold threw: readings go to the dead letters' },
  sinceBase: {
    type: 'u8',
    scope: 'engine',
    upgraded: 255,
    doc: 'Readings since the window last noted a base to re-fold from',
  },
  unpublished: { type: 'u8', scope: 'engine', doc: '1 while the open facts changed since they were last published' },
  cadenceS: {
    type: 'u32',
    unit: 's',
    scope: 'engine',
    doc: 'Cadence given by `installed`; 0 = the default of the kind',
  },
  zone: {
    type: 'u32',
    scope: 'engine',
    doc: 'Time zone given by `installed`, as index + 1 into the partition names; 0 = the default of the kind',
  },
  lifecycleState: {
    type: 'u8',
    scope: 'engine',
    default: 255,
    doc: 'Lifecycle state by index of the kind; 255 = no lifecycle record',
  },
  sideSnapshot: { type: 'u32', scope: 'engine', doc: 'Snapshot that holds the side record; 0 = none' },
  lifeSnapshot: { type: 'u32', scope: 'engine', doc: 'Snapshot that holds the lifecycle list; 0 = none' },
} as const satisfies Record<string, ColumnSpec>;

export type AssetColumns = typeof assetColumns;
export type AnyAsset = Cursor<AssetColumns>;

/** Whether a lifecycle record ever named the asset: only then somebody may fold its forwarded facts. */
export function hasLifecycle(asset: AnyAsset): boolean {
  return asset.lifecycleState !== 255;
}
