import kafkajs from 'kafkajs';
import type { Assignment, Member, Standing } from '../membership.ts';
import { type Candidate, type Sharing, share } from './assigner.ts';

/**
 * What members of the group tell each other, inside Kafka's own consumer protocol: tools that know that one show topics
 * and partitions of each member, and our part travels in its user data, as JSON.
 *
 * Versions: members of several releases live in one group while it is upgraded, and any of them may lead. So fields are
 * only ever added; a reader ignores those it does not know and has a default for those that are missing.
 */
export const PROTOCOL_NAME = 'gridfold';
export const PROTOCOL_VERSION = 1;

const { MemberMetadata, MemberAssignment } = kafkajs.AssignerProtocol;
/** Version of Kafka's own part: 0 has topics and user data, which every tool reads. */
const CONSUMER_PROTOCOL_VERSION = 0;

/** A member as it states itself when it joins. */
export interface Statement extends Candidate {
  readonly url: string;
  readonly version: string;
}

/** What a member knows of itself beside its standing. */
export interface Past {
  /** The newest assignment it has, if any. */
  readonly assignment: Assignment | null;
  /** Counts its joins: two statements never look the same, so that the coordinator shares out anew each time. */
  readonly joins: number;
}

/** The user data of a member that joins. */
export function encodeStatement(topics: readonly string[], standing: Standing, past: Past): Buffer {
  const { url, version, snapshots, owned, unfit } = standing;
  const userData = toJson({
    v: PROTOCOL_VERSION,
    url,
    version,
    generation: past.assignment?.generation ?? 0,
    assigned: past.assignment?.partitions ?? [],
    owned,
    snapshots: [...snapshots],
    unfit: unfit ?? [],
    joins: past.joins,
  });
  return MemberMetadata.encode({ version: CONSUMER_PROTOCOL_VERSION, topics: [...topics], userData });
}

/** Null where the bytes are not of this protocol. */
export function decodeStatement(id: string, bytes: Buffer): Statement | null {
  const fields = attempt(() => fromJson(MemberMetadata.decode(bytes)?.userData));
  if (fields === null) return null;
  return {
    id,
    url: text(fields.url),
    version: text(fields.version),
    generation: isCount(fields.generation) ? fields.generation : 0,
    assigned: new Set(counts(fields.assigned)),
    owned: new Set(counts(fields.owned)),
    snapshots: new Map(list(fields.snapshots).filter(isPair)),
    unfit: new Set(counts(fields.unfit)),
  };
}

/** What the leader of the group answers with: for each member who said what it is, the same picture and its own part of it. */
export function encodeSharing(
  topics: readonly string[],
  partitions: number,
  statements: readonly Statement[],
): { memberId: string; memberAssignment: Buffer }[] {
  const { owners, handedOver }: Sharing = share(partitions, statements);
  const place = new Map(statements.map(({ id }, i) => [id, i]));
  const userData = toJson({
    v: PROTOCOL_VERSION,
    members: statements.map(({ id, url, version }) => ({ id, url, version })),
    owners: owners.map((id) => place.get(id)),
    handedOver: [...handedOver],
  });
  return statements.map(({ id }) => {
    const own = [...owners.keys()].filter((p) => owners[p] === id);
    const assignment = Object.fromEntries(topics.map((topic) => [topic, own]));
    const version = CONSUMER_PROTOCOL_VERSION;
    return { memberId: id, memberAssignment: MemberAssignment.encode({ version, assignment, userData }) };
  });
}

/** An assignment, and all members that took part in it, those without a partition too. */
export interface Received {
  readonly assignment: Assignment;
  readonly members: readonly Member[];
}

/** Null where the leader gave nothing that can be read: it does not know our statement, or is not one of us. */
export function decodeSharing(id: string, generation: number, bytes: Buffer): Received | null {
  const fields = attempt(() => fromJson(MemberAssignment.decode(bytes)?.userData));
  if (fields === null) return null;
  const members = list(fields.members).map(toMember);
  const owners = new Map<number, Member>();
  list(fields.owners).forEach((place, p) => {
    const owner = members[place as number];
    if (owner !== undefined) owners.set(p, owner);
  });
  const partitions = [...owners.keys()].filter((p) => owners.get(p)!.id === id);
  const handedOver = new Set(counts(fields.handedOver).filter((p) => partitions.includes(p)));
  return { assignment: { generation, partitions, owners, handedOver }, members };
}

function toMember(fields: unknown): Member {
  const { id, url, version } = (fields ?? {}) as Record<string, unknown>;
  return { id: text(id), url: text(url), version: text(version) };
}

function toJson(fields: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify(fields));
}

/** Throws where the bytes are no JSON object with a version. */
function fromJson(userData: Buffer | null | undefined): Record<string, unknown> {
  const fields = JSON.parse(String(userData)) as Record<string, unknown> | null;
  if (!isCount(fields?.v) || fields.v < 1) throw new TypeError('no version');
  return fields;
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function counts(value: unknown): number[] {
  return list(value).filter(isCount);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isPair(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(isCount);
}
