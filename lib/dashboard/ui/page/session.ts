import type { Session } from '../../api/screens.js';

/** What this viewer may do: the server writes it into the page. */
export const session: Session = readSession();

/** Whether actions are offered. The server checks each of them again. */
export const mayAct = session.may.act && !session.readOnly;

function readSession(): Session {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="session"]');
  if (meta === null) throw new Error('The page has no session. Load it from the path of the dashboard.');
  return JSON.parse(meta.content) as Session;
}
