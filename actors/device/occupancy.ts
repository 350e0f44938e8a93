import type { Occupancy } from '../../runtime/shard/contract.ts';
import type { Facts } from '../../runtime/shard/derived.ts';
import { iso, slotOccupancy } from './facts.ts';

/** What the plate of an asset says, and how it reports; null where no record told. */
export interface Nameplate {
  readonly model: string | null;
  readonly ratedW: number | null;
  readonly capacityWh: number | null;
  readonly cadenceS: number | null;
  readonly timeZone: string | null;
}

interface Held extends Occupancy {
  readonly cabinetLimitW: number | null;
  readonly epoch: number;
  readonly replaces: string | null;
  readonly plate: Nameplate;
  to: number | null;
}

/** Which slots an asset held. A slot outlives the assets in it; each installation has a number of its own. */
export class Occupancies {
  readonly #serial: string;
  readonly #held: Held[] = [];
  #epoch = 0;

  constructor(serial: string) {
    this.#serial = serial;
  }

  install(at: number, data: Readonly<Record<string, unknown>>, plate: Nameplate): void {
    this.leave(at);
    this.#epoch += 1;
    const siteId = text(data.siteId);
    const slot = text(data.position) ?? text(data.slot);
    if (siteId === null || slot === null) return;
    const where = {
      siteId,
      slot,
      cabinet: text(data.cabinet),
      cabinetLimitW: amount(data.cabinetLimitW),
      region: text(data.region),
    };
    this.#held.push({ ...where, from: at, epoch: this.#epoch, replaces: text(data.replaces), plate, to: null });
  }

  /** An installation that ends when it began held nothing. */
  leave(at: number): void {
    const last = this.#held.at(-1);
    if (last === undefined || last.to !== null) return;
    if (last.from === at) this.#held.pop();
    else last.to = at;
  }

  /** How often the asset was installed. */
  get epoch(): number {
    return this.#epoch;
  }

  get all(): readonly Occupancy[] {
    return this.#held.map(({ siteId, slot, cabinet, region, from, to }) => ({
      siteId,
      slot,
      cabinet,
      region,
      from,
      to,
    }));
  }

  get current(): { siteId: string | null; slot: string | null } {
    const last = this.#held.at(-1);
    return last === undefined || last.to !== null
      ? { siteId: null, slot: null }
      : { siteId: last.siteId, slot: last.slot };
  }

  say(out: Facts): void {
    for (const { siteId, slot, cabinet, cabinetLimitW, region, from, to, epoch, replaces, plate } of this.#held) {
      out.emit(slotOccupancy, `${siteId}/${slot}/${iso(from)}`, from, {
        siteId,
        slot,
        serial: this.#serial,
        fromTime: from,
        toTime: to,
        installEpoch: epoch,
        replaces,
        cabinet,
        cabinetLimitW,
        region,
        ...plate,
      });
    }
  }
}

/** A power; null where none is told. */
function amount(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? value : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
