import type { Assignment, Membership, Standing } from '../../membership.ts';
import type { KafkaConnection } from '../connection.ts';
import { createKafkaMembership } from '../membership.ts';

export interface PeerOptions {
  readonly brokers: readonly string[];
  readonly groupId: string;
  readonly partitions: number;
  readonly sessionTimeoutMs: number;
  readonly version?: string;
  readonly ssl?: KafkaConnection['ssl'];
  readonly sasl?: KafkaConnection['sasl'];
}

/** A member of a group under test: works on what it is given at once, and keeps every assignment. */
export class Peer {
  readonly name: string;
  readonly membership: Membership;
  readonly assignments: Assignment[] = [];
  readonly messages: string[] = [];
  /** How often the group has asked what it has. */
  asked = 0;
  unfit: readonly number[] = [];
  readonly #version: string;
  #next = Promise.withResolvers<void>();

  constructor(name: string, options: PeerOptions) {
    const { brokers, groupId, partitions, sessionTimeoutMs, version = '1', ssl = false, sasl = null } = options;
    this.name = name;
    this.#version = version;
    const message: KafkaConnection['message'] = (_, text) => this.messages.push(text);
    this.membership = createKafkaMembership({
      connection: { brokers, clientId: name, topicPrefix: 'fleet-', groupId, ssl, sasl, message },
      topics: ['telemetry', 'lifecycle'],
      partitions,
      sessionTimeoutMs,
      message,
    });
  }

  join(): Promise<void> {
    return this.membership.join(
      () => this.#standing(),
      (assignment) => {
        this.assignments.push(assignment);
        this.#next.resolve();
        this.#next = Promise.withResolvers<void>();
      },
    );
  }

  get newest(): Assignment | undefined {
    return this.assignments.at(-1);
  }

  /** Resolves with the first assignment that satisfies `isIt`, the newest there is included. */
  async until(isIt: (assignment: Assignment) => boolean): Promise<Assignment> {
    for (;;) {
      const { newest } = this;
      if (newest !== undefined && isIt(newest)) return newest;
      await this.#next.promise;
    }
  }

  #standing(): Standing {
    this.asked += 1;
    const owned = (this.newest?.partitions ?? []).filter((p) => !this.unfit.includes(p));
    return { url: `http://${this.name}`, version: this.#version, snapshots: new Map(), owned, unfit: this.unfit };
  }
}

/** Resolves with the assignment on which these members, and no others, agree. */
export async function agreed(peers: readonly Peer[]): Promise<Assignment> {
  const urls = peers.map(({ name }) => `http://${name}`).sort();
  for (;;) {
    const seen = await Promise.all(
      peers.map((peer) =>
        peer.until(({ owners }) => {
          const owning = [...new Set([...owners.values()].map(({ url }) => url))].sort();
          return owning.join() === urls.join();
        }),
      ),
    );
    const newest = Math.max(...seen.map(({ generation }) => generation));
    await Promise.all(peers.map((peer) => peer.until(({ generation }) => generation >= newest)));
    if (peers.every((peer) => peer.newest?.generation === newest)) return peers[0].newest!;
  }
}
