import { GridfoldError } from '../../runtime/kernel/errors.ts';
import { canonical, checkSchema, incompatibilities, type Level } from './compatibility.ts';
import type { SchemaText } from './schema-type.ts';

export interface StoredSchema extends SchemaText {
  readonly id: number;
}

export interface StoredVersion {
  readonly version: number;
  readonly id: number;
}

/** All that a registry knows; plain data. Ids and versions count from 1 and are never used again. */
export interface RegistryState {
  readonly schemas: readonly StoredSchema[];
  readonly subjects: ReadonlyMap<string, readonly StoredVersion[]>;
  readonly level: Level;
  /** Of the subjects that have their own. */
  readonly levels: ReadonlyMap<string, Level>;
}

export const EMPTY_REGISTRY: RegistryState = {
  schemas: [],
  subjects: new Map(),
  level: 'BACKWARD',
  levels: new Map(),
};

/** A version of a subject with its schema. */
export interface SubjectVersion extends StoredSchema, StoredVersion {
  readonly subject: string;
}

const MAX_SUBJECT_CHARS = 255;
const MAX_SCHEMAS = 10_000;
const MAX_TOTAL_CHARS = 16 * 1024 * 1024;

/**
 * A registry of schemas: numbered schemas, the versions of each subject, and the rule that a new version must keep.
 * `save` is called with the next state before it counts; where it throws, nothing has changed.
 */
export class SchemaRegistry {
  readonly #save: (state: RegistryState) => void;
  readonly #ids = new Map<string, number>();
  #state: RegistryState;
  #chars = 0;

  constructor(state: RegistryState, save: (state: RegistryState) => void) {
    this.#state = state;
    this.#save = save;
    for (const schema of state.schemas) this.#remember(schema);
  }

  #remember(schema: StoredSchema): void {
    this.#ids.set(canonical(schema), schema.id);
    this.#chars += schema.schema.length;
  }

  get subjects(): string[] {
    return [...this.#state.subjects.keys()].sort();
  }

  /** Throws `schema_not_found`. */
  schema(id: number): StoredSchema {
    const schema = this.#state.schemas[id - 1];
    if (schema === undefined) throw noSchema(`there is no schema ${id}`);
    return schema;
  }

  /** Where the schema is used. Throws `schema_not_found`. */
  uses(id: number): { subject: string; version: number }[] {
    this.schema(id);
    const uses: { subject: string; version: number }[] = [];
    for (const [subject, versions] of this.#state.subjects) {
      for (const one of versions) if (one.id === id) uses.push({ subject, version: one.version });
    }
    return uses;
  }

  /** Throws `subject_not_found`. */
  versions(subject: string): number[] {
    return this.#versionsOf(subject).map(({ version }) => version);
  }

  /** Throws `subject_not_found`, `schema_version_not_found`. */
  version(subject: string, wanted: number | 'latest'): SubjectVersion {
    const versions = this.#versionsOf(subject);
    const found = wanted === 'latest' ? versions.at(-1) : versions.find(({ version }) => version === wanted);
    if (found === undefined) throw noVersion(`subject ${subject} has no version ${wanted}`);
    return { ...this.schema(found.id), subject, version: found.version };
  }

  /** The version of the subject that has this schema. Throws `subject_not_found`, `schema_not_found`, `schema_invalid`. */
  find(subject: string, text: SchemaText): SubjectVersion {
    const versions = this.#versionsOf(subject);
    checkSchema(text);
    const id = this.#ids.get(canonical(text));
    const found = versions.find((one) => one.id === id);
    if (found === undefined) throw noSchema(`subject ${subject} does not have this schema`);
    return { ...this.schema(found.id), subject, version: found.version };
  }

  /**
   * Makes the schema the newest version of the subject, unless it is one already; returns its id. Throws
   * `schema_invalid`, `schema_incompatible` (the message says why), `registry_full`.
   */
  register(subject: string, text: SchemaText): number {
    checkSubject(subject);
    checkSchema(text);
    const { schemas, subjects } = this.#state;
    const versions = subjects.get(subject) ?? [];
    const known = this.#ids.get(canonical(text));
    if (known !== undefined && versions.some(({ id }) => id === known)) return known;
    const complaints = this.incompatibilities(subject, text);
    if (complaints.length > 0) {
      const message = `the schema may not follow the versions of ${subject} (${this.level(subject)}): ${complaints.join('; ')}`;
      throw new GridfoldError('schema_incompatible', 'fix-configuration', message);
    }
    const id = known ?? schemas.length + 1;
    const added = known === undefined ? [{ id, ...text }] : [];
    this.#checkRoom(added);
    const version = (versions.at(-1)?.version ?? 0) + 1;
    this.#adopt({
      ...this.#state,
      schemas: [...schemas, ...added],
      subjects: new Map([...subjects, [subject, [...versions, { version, id }]]]),
    });
    added.forEach((schema) => {
      this.#remember(schema);
    });
    return id;
  }

  /** Why the schema may not become the newest version; empty where it may, and for a subject that is not there yet. */
  incompatibilities(subject: string, text: SchemaText, against?: number | 'latest'): string[] {
    if (against !== undefined) return incompatibilities(this.level(subject), text, [this.version(subject, against)]);
    const older = this.#state.subjects.get(subject) ?? [];
    return incompatibilities(
      this.level(subject),
      text,
      older.map(({ id }) => this.schema(id)),
    );
  }

  /** The rule of a subject; without one, that of all that have none of their own. */
  level(subject?: string): Level {
    return (subject === undefined ? undefined : this.#state.levels.get(subject)) ?? this.#state.level;
  }

  setLevel(level: Level, subject?: string): void {
    if (subject === undefined) this.#adopt({ ...this.#state, level });
    else {
      checkSubject(subject);
      const levels = new Map([...this.#state.levels, [subject, level]]);
      if (levels.size > MAX_SCHEMAS) throw full(`rules for ${MAX_SCHEMAS} subjects`);
      this.#adopt({ ...this.#state, levels });
    }
  }

  #versionsOf(subject: string): readonly StoredVersion[] {
    const versions = this.#state.subjects.get(subject);
    if (versions === undefined) throw noSubject(`there is no subject ${JSON.stringify(subject)}`);
    return versions;
  }

  #checkRoom(added: readonly StoredSchema[]): void {
    const chars = added.reduce((sum, { schema }) => sum + schema.length, this.#chars);
    const versions = [...this.#state.subjects.values()].reduce((sum, list) => sum + list.length, 1);
    if (versions > MAX_SCHEMAS) throw full(`${MAX_SCHEMAS} versions`);
    if (chars > MAX_TOTAL_CHARS) throw full(`${MAX_TOTAL_CHARS} characters of schemas`);
  }

  #adopt(state: RegistryState): void {
    this.#save(state);
    this.#state = state;
  }
}

function checkSubject(subject: string): void {
  const isGood = subject.length > 0 && subject.length <= MAX_SUBJECT_CHARS && /^[\x21-\x7e]+$/.test(subject);
  if (isGood && subject !== '__proto__') return;
  throw new GridfoldError(
    'subject_invalid',
    'fix-configuration',
    `a subject has 1 to ${MAX_SUBJECT_CHARS} characters of ASCII without spaces`,
  );
}

const full = (what: string) =>
  new GridfoldError('registry_full', 'fix-configuration', `the registry holds ${what} and takes no more`);

const noSchema = (message: string) => new GridfoldError('schema_not_found', 'fix-configuration', message);
const noVersion = (message: string) => new GridfoldError('schema_version_not_found', 'fix-configuration', message);
const noSubject = (message: string) => new GridfoldError('subject_not_found', 'fix-configuration', message);
