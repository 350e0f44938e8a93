import type { ResolvedSchema } from '../wire.ts';

export type RecordName = ResolvedSchema['subject'];
export const RECORD_NAMES: readonly RecordName[] = ['telemetry', 'lifecycle'];

/** Subject under which the values of a topic are registered (Confluent's TopicNameStrategy). */
export const subjectFor = (record: RecordName, prefix: string) => `${prefix}${record}-value`;

/**
 * Which of our records a schema describes, by the subjects that use it: `<prefix>telemetry-value`, or any that begins with
 * the topic's name and a dash (TopicRecordNameStrategy), or, of a record's own name, its last part (RecordNameStrategy):
 * `Telemetry`, `org.example.TelemetryRecord`. Null where none says so.
 */
export function recordOf(subjects: readonly string[], prefix: string): RecordName | null {
  const named = (isNamed: (subject: string, record: RecordName) => boolean) =>
    RECORD_NAMES.find((record) => subjects.some((subject) => isNamed(subject, record))) ?? null;
  return (
    named((subject, record) => subject === subjectFor(record, prefix)) ??
    named((subject, record) => subject.startsWith(`${prefix}${record}-`)) ??
    named((subject, record) => {
      const last = subject.slice(subject.lastIndexOf('.') + 1).toLowerCase();
      return last === record || last === `${record}record`;
    })
  );
}
