import { GridfoldError } from '../../runtime/kernel/errors.ts';

/** Largest answer that is read, bytes. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

export interface RegistryAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Confluent's number of a fault; 0 where there is none. */
  readonly errorCode: number;
  /** What the registry says of the fault; bounded, and without line breaks. */
  readonly message: string;
}

/** Reads an answer up to the bound. Throws `registry_answer_invalid` where it is no JSON, or too long. */
export async function readAnswer(response: Response): Promise<RegistryAnswer> {
  const text = await boundedText(response);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    // A gateway before the registry speaks HTML; only its status says something.
    if (response.status >= 500 || response.status === 429 || isDenied(response.status)) body = {};
    else throw badAnswer(`its answer (status ${response.status}) is not JSON`, cause);
  }
  const { error_code, message } = (body ?? {}) as { error_code?: unknown; message?: unknown };
  return {
    status: response.status,
    body,
    errorCode: typeof error_code === 'number' ? error_code : 0,
    message: typeof message === 'string' ? printable(message).slice(0, 500) : '',
  };
}

export const isDenied = (status: number) => status === 401 || status === 403;

export const badAnswer = (detail: string, cause?: unknown) =>
  new GridfoldError(
    'registry_answer_invalid',
    'retry',
    `what answers as schema registry is none, or is ill: ${detail}; check its address`,
    { cause },
  );

/** Control characters as blanks: the text may end up in a log. */
function printable(text: string): string {
  let clean = '';
  for (const c of text.slice(0, 1_000)) clean += c < ' ' || (c >= '\x7f' && c < '\xa0') ? ' ' : c;
  return clean;
}

async function boundedText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) throw badAnswer(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
