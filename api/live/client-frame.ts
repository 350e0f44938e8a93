import { compileExact } from '../http/validate.ts';
import { type ClientFrame, clientFrames } from './protocol.ts';

/** A frame of the protocol, or what is wrong with it and which subscription it names; null where it is no JSON. */
export type Parsed =
  | { readonly frame: ClientFrame }
  | { readonly fault: string; readonly about: { readonly id?: string } }
  | null;

const validators = new Map(
  Object.entries(clientFrames).map(([name, schema]) => [name, compileExact<ClientFrame>(schema)] as const),
);

/** Reads what a client sent. */
export function parseClientFrame(text: string): Parsed {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return null;
  }
  const type = typeof frame === 'object' && frame !== null && 't' in frame ? frame.t : undefined;
  const validate = typeof type === 'string' ? validators.get(type) : undefined;
  if (validate?.(frame)) return { frame: frame as ClientFrame };
  const found = validate?.errors?.[0];
  const fault =
    found === undefined ? 't names no frame of this protocol' : `${found.instancePath || '/'} ${found.message}`;
  return { fault, about: idOf(frame) };
}

function idOf(frame: unknown): { id?: string } {
  const id = typeof frame === 'object' && frame !== null && 'id' in frame ? frame.id : undefined;
  return typeof id === 'string' && id.length > 0 && id.length <= 64 ? { id } : {};
}
