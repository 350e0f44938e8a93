import type { Option } from './option.ts';

/** Options of the dialect of Tesla's fleet telemetry: docs/wire-formats.md. */
export const teslaOptions = {
  'tesla.namespace': {
    type: 'text',
    default: null,
    refuse: (value: string) =>
      /^[A-Za-z0-9._-]{1,200}$/.test(value) ? null : 'must be letters, digits, dots, dashes and underscores',
    doc: "Namespace of the topics that Tesla's fleet-telemetry writes (`NAMESPACE_V`, `_alerts`, `_errors`, `_connectivity`) on the same Kafka. Set: their messages come in as telemetry.",
  },
  'tesla.fields': {
    type: 'text',
    default: null,
    doc: 'File (YAML or JSON) that says what a vehicle is taken for, and which of its fields is which of ours. Not set: a battery.',
  },
} as const satisfies Record<string, Option>;
