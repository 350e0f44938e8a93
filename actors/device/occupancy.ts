import type { Facts } from '../../runtime/shard/derived.ts';
import { iso, slotOccupancy } from './facts.ts';

interface Occupancy {
  readonly siteId: string;
  readonly slot: string;
  readonly from: number;
  readonly epoch: number;
  readonly replaces: string | null;
  to: number | null;
}

/** Which slots an asset held. A slot outlives the assets in it; each installation has a number of its own. */
export class Occupancies {
  readonly #serial: string;
  readonly #held: Occupancy[] = [];
  #epoch = 0;

  constructor(serial: string) {
    this.#serial = serial;
  }

  install(at: number, data: Readonly<Record<string, unknown>>): void {
    this.leave(at);
    this.#epoch += 1;
    const siteId = text(data.siteId);
    const slot = text(data.position) ?? text(data.slot);
    if (siteId === null || slot === null) return;
    this.#held.push({ siteId, slot, from: at, epoch: this.#epoch, replaces: text(data.replaces), to: null });
  }

  leave(at: number): void {
    const last = this.#held.at(-1);
    if (last !== undefined && last.to === null) last.to = at;
  }

  get current(): { siteId: string | null; slot: string | null } {
    const last = this.#held.at(-1);
    return last === undefined || last.to !== null
      ? { siteId: null, slot: null }
      : { siteId: last.siteId, slot: last.slot };
  }

  say(out: Facts): void {
    for (const { siteId, slot, from, to, epoch, replaces } of this.#held) {
      out.emit(slotOccupancy, `${siteId}/${slot}/${iso(from)}`, from, {
        siteId,
        slot,
        serial: this.#serial,
        fromTime: from,
        toTime: to,
        installEpoch: epoch,
        replaces,
      });
    }
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
