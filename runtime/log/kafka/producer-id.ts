import { coordinators, type Link } from './link.ts';

/** A producer as brokers know it: of two with the same id only that with the higher epoch may write. */
export interface ProducerId {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** A producer of no transactions: its sequence numbers keep repeated requests from writing twice. */
export async function initIdempotent(link: Link, anyOf: { topic: string; partition: number }): Promise<ProducerId> {
  return link.persist('producer', async () => {
    const broker = await link.leader(anyOf.topic, anyOf.partition);
    return numbers(await broker.initProducerId({ transactionTimeout: 0 }));
  });
}

/** Fences every earlier producer of the transactional id and settles what it left open, which may take a moment. */
export async function initTransactional(link: Link, transactionalId: string, timeoutMs: number): Promise<ProducerId> {
  return link.persist(`claim ${transactionalId}`, async () => {
    const broker = await link.coordinator(transactionalId, coordinators.transaction);
    return numbers(await broker.initProducerId({ transactionalId, transactionTimeout: timeoutMs }));
  });
}

function numbers({ producerId, producerEpoch }: { producerId: unknown; producerEpoch: number }): ProducerId {
  return { producerId: Number(producerId), producerEpoch };
}

/** A number that grows with each claim: epochs of an id are counted up, later ids are higher. */
export function generationOf({ producerId, producerEpoch }: ProducerId): number {
  return producerId * 0x10000 + producerEpoch;
}
