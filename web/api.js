/** Requests to the server, with the token where it wants one. */

const tokenKey = 'gridfold.token';

/** The token, or undefined. */
export function token() {
  try {
    return sessionStorage.getItem(tokenKey) ?? undefined;
  } catch {
    return undefined;
  }
}

/** An answer that is not 2xx; `problem` is the RFC 9457 body where there was one. */
export class RequestError extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? (status === 0 ? 'The server does not answer.' : `The server answered ${status}.`));
    this.status = status;
    this.problem = problem;
  }
}

export const get = (path, signal) => send(path, { signal });

export function post(path, body, signal) {
  return send(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
    signal,
  });
}

async function send(path, options) {
  const headers = { accept: 'application/json', ...options.headers };
  if (token() !== undefined) headers.authorization = `Bearer ${token()}`;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new RequestError(0);
  }
  const body = await answer.json().catch(() => undefined);
  if (answer.ok) return body;
  if (answer.status === 401) {
    await askForToken();
    return send(path, options);
  }
  throw new RequestError(answer.status, body);
}

let asking;

/** Asks for the token once, however many requests need it. */
export function askForToken() {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById('token');
    dialog.showModal();
    dialog.addEventListener(
      'close',
      () => {
        const input = dialog.querySelector('input');
        sessionStorage.setItem(tokenKey, input.value.trim());
        input.value = '';
        asking = undefined;
        resolve();
      },
      { once: true },
    );
  });
  return asking;
}
