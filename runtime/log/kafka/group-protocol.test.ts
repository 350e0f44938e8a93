import fc from 'fast-check';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import type { Assignment, Standing } from '../membership.ts';
import { decodeSharing, decodeStatement, encodeSharing, encodeStatement } from './group-protocol.ts';

const { MemberMetadata, MemberAssignment } = kafkajs.AssignerProtocol;
const topics = ['fleet-telemetry', 'fleet-lifecycle'];
const nothingYet = { assignment: null, joins: 1 };

function standing(facts: Partial<Standing> = {}): Standing {
  return { url: 'http://10.0.0.7:4343', version: '0.1.0', snapshots: new Map(), owned: [], ...facts };
}

function statement(id: string, facts: Partial<Standing> = {}) {
  return decodeStatement(id, encodeStatement(topics, standing(facts), nothingYet))!;
}

/** As of a release to come: more fields, and another version. */
function statementOfVersion2(id: string) {
  const userData = Buffer.from(
    JSON.stringify({ v: 2, url: 'http://two', version: '2.0.0', owned: [1], assigned: [1], generation: 4, zone: 'b' }),
  );
  return decodeStatement(id, MemberMetadata.encode({ version: 0, topics, userData }))!;
}

describe('what a member states', () => {
  it('comes out as it went in', () => {
    const owners = new Map();
    const assignment: Assignment = { generation: 7, partitions: [1, 2], owners, handedOver: new Set() };
    const facts = { snapshots: new Map([[1, 812]]), owned: [1], unfit: [3] };
    const bytes = encodeStatement(topics, standing(facts), { assignment, joins: 2 });
    expect(decodeStatement('m', bytes)).toEqual({
      id: 'm',
      url: 'http://10.0.0.7:4343',
      version: '0.1.0',
      generation: 7,
      assigned: new Set([1, 2]),
      owned: new Set([1]),
      snapshots: new Map([[1, 812]]),
      unfit: new Set([3]),
    });
  });

  it('names the topics as any consumer does', () => {
    expect(MemberMetadata.decode(encodeStatement(topics, standing(), nothingYet))).toMatchObject({
      version: 0,
      topics,
    });
  });

  it('differs from one join to the next', () => {
    const [one, two] = [1, 2].map((joins) => encodeStatement(topics, standing(), { assignment: null, joins }));
    expect(one.equals(two)).toBe(false);
  });

  it('is read from a newer release, without what is not known here', () => {
    expect(statementOfVersion2('two')).toMatchObject({ version: '2.0.0', generation: 4, owned: new Set([1]) });
  });

  it('is null or sound for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.json(), (bytes, json) => {
        decodeStatement('m', Buffer.from(bytes));
        const read = decodeStatement('m', MemberMetadata.encode({ version: 0, topics, userData: Buffer.from(json) }));
        if (read !== null) expect([...read.owned].every(Number.isSafeInteger)).toBe(true);
      }),
    );
    const foreign = MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) });
    expect(decodeStatement('m', foreign)).toBeNull();
  });
});

describe('what the leader answers', () => {
  const all = [
    statement('a', { owned: [0, 1, 2, 3] }),
    statement('b', { url: 'http://b' }),
    statementOfVersion2('two'),
  ];
  const parts = new Map(encodeSharing(topics, 4, all).map((part) => [part.memberId, part.memberAssignment]));

  it('is the same picture for every member, with its own part', () => {
    const received = all.map(({ id }) => decodeSharing(id, 9, parts.get(id)!)!);
    for (const { assignment } of received) {
      expect(assignment.generation).toBe(9);
      expect(assignment.owners).toEqual(received[0].assignment.owners);
      expect([...assignment.handedOver].every((p) => assignment.partitions.includes(p))).toBe(true);
    }
    const shares = received.flatMap(({ assignment }) => assignment.partitions);
    expect(shares.sort()).toEqual([0, 1, 2, 3]);
    expect(received[0].members.map(({ url }) => url)).toEqual(['http://10.0.0.7:4343', 'http://b', 'http://two']);
  });

  it('says of partitions that move that a living member hands them over', () => {
    const { assignment } = decodeSharing('b', 9, parts.get('b')!)!;
    expect(assignment.handedOver).toEqual(new Set(assignment.partitions));
  });

  it('lists the partitions of all topics as any consumer does', () => {
    const { assignment } = decodeSharing('b', 9, parts.get('b')!)!;
    const plain = MemberAssignment.decode(parts.get('b')!)!.assignment;
    expect(plain).toEqual({ 'fleet-telemetry': assignment.partitions, 'fleet-lifecycle': assignment.partitions });
  });

  it('is null where the leader gave nothing, or is of another kind', () => {
    expect(decodeSharing('m', 1, Buffer.alloc(0))).toBeNull();
    const plain = { version: 0, assignment: { t: [1] }, userData: Buffer.alloc(0) };
    expect(decodeSharing('m', 1, MemberAssignment.encode(plain))).toBeNull();
  });
});
