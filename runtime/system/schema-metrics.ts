import { Gauge, type Registry } from 'prom-client';
import { countedElsewhere } from './counted.ts';

/** How it stands with the schemas of records, and with the registry that they come from. */
export interface SchemaStatus {
  readonly state: 'untried' | 'up' | 'down' | 'denied';
  readonly requests: number;
  readonly failures: number;
  /** Schemas at hand. */
  readonly known: number;
  /** Ids judged unknown now. */
  readonly unknown: number;
  /** Ids that wait for an answer. */
  readonly waiting: number;
}

/** Gauges read from the status of schemas; returns the function that reads it, once per scrape. */
export function schemaGauges(registry: Registry, status: () => SchemaStatus): () => void {
  const gauge = (name: string, help: string) => new Gauge({ name: `gridfold_${name}`, help, registers: [registry] });
  const up = gauge('schema_registry_up', '0 while the schema registry does not answer, or refuses us');
  const requests = countedElsewhere(registry, 'schema_registry_requests_total', 'Requests to the schema registry');
  const failures = countedElsewhere(
    registry,
    'schema_registry_failures_total',
    'Requests to the schema registry that failed',
  );
  const known = gauge('schemas_known', 'Schemas at hand');
  const unknown = gauge('schemas_unknown', 'Schema ids that records name and that do not exist');
  const waiting = gauge('schemas_waiting', 'Schema ids without an answer yet; partitions that need them stand still');
  return () => {
    const now = status();
    up.set(now.state === 'down' || now.state === 'denied' ? 0 : 1);
    requests(now.requests);
    failures(now.failures);
    known.set(now.known);
    unknown.set(now.unknown);
    waiting.set(now.waiting);
  };
}
