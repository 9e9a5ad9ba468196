import type { Actions } from '../../api/actions.js';
import type { Refusal } from '../../api/screens.js';

/** The server did not do what the page asked for. The message says what to do. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(
    /** Of the refusal; `unreachable` where there was no answer, `signed-out` where it came from something else. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Gets JSON. @param path relative to the dashboard, e.g. `api/kinds`. @throws RefusedError */
export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return answerOf<Answer>(await send(path, { signal }));
}

/** Does an action. @throws RefusedError */
export async function act<Name extends keyof Actions>(
  name: Name,
  body: Actions[Name][0],
): Promise<Actions[Name][1]> {
  const headers = { 'content-type': 'application/json' };
  const response = await send(`api/act/${name}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return answerOf<Actions[Name][1]>(response);
}

/**
 * The whole address of a path of the dashboard, without a name and a password that may stand in the page's own: browsers
 * refuse requests to such addresses, and send these by themselves.
 */
export function urlOf(path: string): string {
  const url = new URL(path, document.baseURI);
  url.username = '';
  url.password = '';
  return url.href;
}

/** What to tell a person of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(urlOf(path), { ...init, credentials: 'same-origin' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new RefusedError('unreachable', 'The server cannot be reached.');
  }
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  if (response.status === 401 || (response.ok && !isJson))
    throw new RefusedError('signed-out', 'You seem to be signed out. Load the page again to sign in.');
  if (response.ok) return (await response.json()) as Answer;
  const refusal = isJson ? ((await response.json()) as Partial<Refusal>).error : undefined;
  throw new RefusedError(
    refusal?.code ?? 'unknown',
    refusal?.message ?? `The server answered with status ${response.status}.`,
  );
}
