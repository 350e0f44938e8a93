import { systemClock, type Clock } from '../../kernel/clock.ts';
import { GridfoldError } from '../../kernel/errors.ts';
import type { Assignment, Membership, Standing } from '../membership.ts';
import type { KafkaConnection } from './connection.ts';
import { GroupCoordinator, type Joined } from './group-coordinator.ts';
import { decodeSharing, decodeStatement, encodeSharing, encodeStatement, PROTOCOL_NAME } from './group-protocol.ts';
import { cannotJoin, errorType, type KafkaError, Outage, versionSkew } from './group-reports.ts';
import { backoffMs, type Contact, isCounted, type Step, turnAfter } from './group-turn.ts';

export interface KafkaMembershipOptions {
  readonly connection: KafkaConnection;
  /** Topics that are shared out together, without prefix: a partition means that of each. */
  readonly topics: readonly string[];
  /** Partitions of each of these topics. */
  readonly partitions: number;
  /**
   * A member that is not heard of for so long has left.
   * @default 10_000
   */
  readonly sessionTimeoutMs?: number;
  /**
   * Members that do not join within this time, once the group is being shared out anew, have left.
   * @default 30_000
   */
  readonly rebalanceTimeoutMs?: number;
  readonly clock?: Clock;
  readonly message: KafkaConnection['message'];
}

const SESSION_TIMEOUT_MS = 10_000;
const REBALANCE_TIMEOUT_MS = 30_000;
const HEARTBEATS_PER_SESSION = 10;

/** The group of processes as Kafka keeps it. Only membership: nothing is read, and no offset is written, through it. */
export function createKafkaMembership(options: KafkaMembershipOptions): Membership {
  return new KafkaMembership(options);
}

/**
 * A member of the group: one loop that joins, takes its part, and says every tenth of a session that it lives, until
 * it leaves. What follows from a failure is decided in group-turn.ts.
 */
class KafkaMembership implements Membership {
  readonly #coordinator: GroupCoordinator;
  readonly #topics: readonly string[];
  readonly #partitions: number;
  readonly #sessionTimeoutMs: number;
  readonly #rebalanceTimeoutMs: number;
  readonly #clock: Clock;
  readonly #groupId: string;
  readonly #message: KafkaConnection['message'];
  readonly #outage: Outage;

  #step: Step = 'join';
  #memberId = '';
  #joined: Joined | null = null;
  #joins = 0;
  /** What counts, as long as the coordinator counts this member in. */
  #assignment: Assignment | null = null;
  /** The newest there was: it says how old what this member states is. */
  #newest: Assignment | null = null;
  #contact: Contact = { heardMs: Number.NEGATIVE_INFINITY, joiningMs: null };
  #rejoin = false;
  #leaving = false;
  #standing: (() => Standing) | null = null;
  #assigned: (assignment: Assignment) => void = () => {};
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: KafkaMembershipOptions) {
    const { connection, topics, partitions, message, clock = systemClock } = options;
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
    this.#rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? REBALANCE_TIMEOUT_MS;
    this.#coordinator = new GroupCoordinator(connection, {
      sessionTimeoutMs: this.#sessionTimeoutMs,
      rebalanceTimeoutMs: this.#rebalanceTimeoutMs,
    });
    this.#topics = topics.map((name) => connection.topicPrefix + name);
    this.#partitions = partitions;
    this.#clock = clock;
    this.#groupId = connection.groupId;
    this.#message = message;
    this.#outage = new Outage(connection.groupId, message);
  }

  get current(): Assignment | null {
    const counted = isCounted(this.#clock.now(), this.#contact, this.#sessionTimeoutMs, this.#rebalanceTimeoutMs);
    return counted ? this.#assignment : null;
  }

  join(standing: () => Standing, assigned: (assignment: Assignment) => void): Promise<void> {
    if (this.#standing !== null) throw new Error('A membership joins once.');
    this.#standing = standing;
    return new Promise((resolve, reject) => {
      this.#assigned = (assignment) => {
        assigned(assignment);
        resolve();
      };
      this.#running = this.#run()
        .catch(reject)
        .finally(() => {
          this.#assignment = null;
          this.#coordinator.hangUp('The member has left the group.');
          reject(new GridfoldError('group_left', 'stop', `Group ${this.#groupId}: left before it was joined.`));
        });
    });
  }

  rejoin(): void {
    this.#rejoin = true;
    this.#wake();
  }

  async leave(): Promise<void> {
    this.#leaving = true;
    this.#wake();
    this.#coordinator.interrupt('The member leaves the group.');
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#leaving) {
      try {
        await this.#take();
        this.#outage.over();
      } catch (error) {
        if (!this.#leaving) await this.#recover(error as KafkaError);
      }
    }
    await this.#sayGoodbye();
  }

  /** One request to the coordinator, and what its answer changes. */
  async #take(): Promise<void> {
    if (this.#step === 'join') await this.#takeJoin();
    else if (this.#step === 'sync') await this.#takeSync();
    else await this.#takeHeartbeat();
  }

  async #takeJoin(): Promise<void> {
    this.#rejoin = false;
    this.#joins += 1;
    const past = { assignment: this.#newest, joins: this.#joins };
    const statement = encodeStatement(this.#topics, this.#standing!(), past);
    this.#contact = { ...this.#contact, joiningMs: this.current === null ? null : this.#clock.now() };
    this.#joined = await this.#coordinator.join(this.#memberId, PROTOCOL_NAME, statement);
    // The session counts from the answer on: the coordinator held it back until all had joined.
    this.#contact = { heardMs: this.#clock.now(), joiningMs: null };
    this.#memberId = this.#joined.memberId;
    this.#step = 'sync';
  }

  async #takeSync(): Promise<void> {
    const joined = this.#joined!;
    const sentMs = this.#clock.now();
    const sharing = joined.leaderId === joined.memberId ? this.#shareOut(joined) : [];
    const answer = await this.#coordinator.sync(joined, sharing);
    this.#contact = { heardMs: sentMs, joiningMs: null };
    this.#step = 'heartbeat';
    this.#accept(joined, answer);
  }

  async #takeHeartbeat(): Promise<void> {
    await this.#pause(this.#sessionTimeoutMs / HEARTBEATS_PER_SESSION);
    if (this.#leaving) return;
    if (this.#rejoin) {
      this.#step = 'join';
      return;
    }
    const sentMs = this.#clock.now();
    await this.#coordinator.heartbeat(this.#memberId, this.#joined!.generationId);
    const lapsed = this.current === null;
    this.#contact = { heardMs: sentMs, joiningMs: null };
    if (lapsed && this.#assignment !== null) this.#assigned(this.#assignment);
  }

  #shareOut({ members }: Joined): readonly unknown[] {
    const statements = members.map(({ memberId, memberMetadata }) => decodeStatement(memberId, memberMetadata));
    const readable = statements.filter((statement) => statement !== null);
    if (readable.length < members.length) {
      const who = members.filter((_, i) => statements[i] === null).map(({ memberId }) => memberId);
      const text = `Group ${this.#groupId} has members that are no Gridfold: they are given no partitions.`;
      this.#message('error', text, { members: who });
    }
    return encodeSharing(this.#topics, this.#partitions, readable);
  }

  #accept({ memberId, generationId }: Joined, answer: Buffer): void {
    if (this.#leaving) return;
    const received = decodeSharing(memberId, generationId, answer);
    this.#assignment = received?.assignment ?? null;
    if (received === null) {
      const text = `Group ${this.#groupId}: the member that leads it gave this one nothing that can be read.`;
      this.#message('error', text, { advice: 'No partition is taken until the group is shared out anew.' });
      return;
    }
    this.#newest = received.assignment;
    const versions = versionSkew(received.members);
    if (versions !== null) this.#message('warn', `Group ${this.#groupId} runs several versions at once.`, { versions });
    this.#assigned(received.assignment);
  }

  async #recover(error: KafkaError): Promise<void> {
    const type = errorType(error);
    const turn = turnAfter(this.#step, type);
    this.#contact = { ...this.#contact, joiningMs: null };
    if (type === 'MEMBER_ID_REQUIRED') this.#memberId = error.memberId!;
    if (turn.fatal && this.#newest === null) throw cannotJoin(this.#groupId, type!, error);
    if (turn.lost) this.#loseTouch();
    if (turn.forgetId) this.#memberId = '';
    if (turn.reconnect) this.#coordinator.hangUp(error.message);
    this.#step = turn.next;
    if (!turn.wait) return;
    await this.#pause(backoffMs(this.#outage.failed(type, error)));
  }

  #loseTouch(): void {
    if (this.#assignment !== null) {
      this.#message('warn', `Group ${this.#groupId} went on without this member: it joins anew.`);
    }
    this.#assignment = null;
  }

  /** Until the time is over or somebody calls `#wake`. */
  async #pause(ms: number): Promise<void> {
    if (this.#leaving || (this.#rejoin && this.#step === 'heartbeat')) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const cancel = this.#clock.after(ms, resolve);
    await promise;
    cancel();
  }

  async #sayGoodbye(): Promise<void> {
    if (this.#memberId === '') return;
    try {
      await this.#coordinator.leave(this.#memberId);
    } catch (error) {
      const text = `Group ${this.#groupId}: not told that this member leaves; the group waits for its session to end.`;
      this.#message('warn', text, { reason: (error as Error).message });
    }
  }
}
