import { createHash } from 'node:crypto';

/** What errors have in common that are one and the same. */
export interface ErrorIdentity {
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;
  /** Class and message, with an ellipsis for what differs from one error to the next. */
  readonly title: string;
  /** The function of the application that it came from, with its file. */
  readonly frame: string | null;
}

const MAX_TITLE = 200;
const GAP = '…';

/** What differs from one error to the next, the longest first. */
const VARIABLE: readonly RegExp[] = [
  /"(?:[^"\\\n]|\\.){0,500}"|(?<!\w)'(?:[^'\\\n]|\\.){0,500}'(?!\w)|`(?:[^`\\\n]|\\.){0,500}`/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b/gi,
  /\d+(?:[.,:]\d+)*/g,
];

/** @param lastError as a job has it: name, message and stack */
export function identify(lastError: string | null): ErrorIdentity {
  const [first = '', ...rest] = (lastError ?? '').split('\n');
  const title = normalize(first).slice(0, MAX_TITLE) || 'No error was stored';
  const frame = topFrame(rest);
  const digest = createHash('sha256')
    .update(JSON.stringify([title, frame]))
    .digest('hex');
  return { fingerprint: digest.slice(0, 16), title, frame };
}

function normalize(line: string): string {
  const text = VARIABLE.reduce((left, pattern) => left.replaceAll(pattern, GAP), line);
  return text.replaceAll(/…(?:[\s,;:.-]*…)+/g, GAP).trim();
}

/** The first one that is of the application. The numbers of lines are left out: they differ from one release to the next. */
function topFrame(lines: readonly string[]): string | null {
  for (const line of lines) {
    const call = /^\s*at (.+)$/.exec(line)?.[1];
    if (call === undefined || /node_modules|\bnode:|\(<anonymous>\)$|\(native\)/.test(call)) continue;
    const { name, file } = partsOf(call);
    return name === '' ? file : `${name} (${file})`;
  }
  return null;
}

/** `async Mails.send (file:///srv/app/dist/mails.js:12:5)` and `/srv/app/dist/mails.js:12:5` */
function partsOf(call: string): { readonly name: string; readonly file: string } {
  const named = /^(.*?) \(([^)]*)\)$/.exec(call);
  const name = (named?.[1] ?? '').replace(/^(?:async|new) /, '');
  const place = (named?.[2] ?? call).replace(/^async /, '').replace(/(?::\d+){1,2}$/, '');
  const segments = place.replace(/[?#].*$/, '').split(/[\\/]/);
  return { name, file: segments.slice(-2).join('/') };
}
