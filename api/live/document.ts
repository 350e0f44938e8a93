import { GridfoldError } from '../../runtime/kernel/errors.ts';
import type { AssetView } from '../../runtime/system/engine.ts';

/**
 * An asset as subscribers hold it: plain JSON without `null`, so that a merge patch can say everything. A value that
 * is invalid, and a site or slot that is not known, is absent. Objects have no prototype: field names come from outside.
 */
export type Document = { readonly [name: string]: Json };
export type Json = string | number | boolean | readonly Json[] | Document;

type Writable = Record<string, Json>;
type Part = (view: AssetView) => Json | undefined;
const empty = (): Writable => Object.create(null);

const parts: Readonly<Record<string, Part>> = {
  kind: (view) => view.kind,
  siteId: (view) => view.siteId ?? undefined,
  slot: (view) => view.slot ?? undefined,
  status: (view) => view.status,
  state: (view) => collect(Object.keys(view.regions), (region) => view.regions[region].state),
  since: (view) => collect(Object.keys(view.regions), (region) => view.regions[region].since),
  derates: (view) => view.derates,
  values: (view) => collect(Object.keys(view.values), (field) => heldValue(view, field)),
  energy: (view) => collect(Object.keys(view.energy), (name) => view.energy[name as 'inWh']),
  counts: (view) => collect(Object.keys(view.counts), (name) => view.counts[name as 'applied']),
  eventTime: (view) => view.eventTime ?? undefined,
  recordTime: (view) => view.recordTime ?? undefined,
};
const composed: Readonly<Record<string, (view: AssetView, name: string) => unknown>> = {
  state: (view, name) => own(view.regions, name)?.state,
  since: (view, name) => own(view.regions, name)?.since,
  values: (view, name) => heldValue(view, name),
  energy: (view, name) => own(view.energy, name as 'inWh'),
  counts: (view, name) => own(view.counts, name as 'applied'),
};

/** Builds the document, or the part of it that was asked for. */
export interface Projection {
  /** Equal keys give equal documents. */
  readonly key: string;
  readonly build: (view: AssetView) => Document;
}

/** Compiles a list of fields such as `status` or `values.soc`; undefined means all. Throws `unknown_field`. */
export function compileProjection(fields: readonly string[] | undefined): Projection {
  const names = fields === undefined ? Object.keys(parts) : [...new Set(fields)].sort();
  const steps = names.map(step);
  return {
    key: names.join('\n'),
    build(view) {
      const document = empty();
      for (const write of steps) write(view, document);
      return document;
    },
  };
}

function step(field: string): (view: AssetView, into: Writable) => void {
  const whole = own(parts, field);
  if (whole !== undefined) return (view, into) => put(into, field, whole(view));
  const dot = field.indexOf('.');
  const head = field.slice(0, dot);
  const name = field.slice(dot + 1);
  const part = own(composed, head);
  if (part === undefined || name === '') {
    const known = `${Object.keys(parts).join(', ')}, and NAME.FIELD of ${Object.keys(composed).join(', ')}`;
    throw new GridfoldError('unknown_field', 'fix-configuration', `${JSON.stringify(field)} is none of ${known}`);
  }
  return (view, into) => {
    const value = part(view, name);
    if (value === undefined || value === null) return;
    into[head] ??= empty();
    (into[head] as Writable)[name] = value as Json;
  };
}

function collect(names: readonly string[], read: (name: string) => unknown): Document {
  const object = empty();
  for (const name of names) put(object, name, read(name));
  return object;
}

function put(object: Writable, name: string, value: unknown): void {
  if (value !== undefined && value !== null) object[name] = value as Json;
}

function heldValue(view: AssetView, field: string): unknown {
  const held = own(view.values, field);
  return held?.valid ? held.value : undefined;
}

function own<T extends object, K extends keyof T>(object: T, name: K): T[K] | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
