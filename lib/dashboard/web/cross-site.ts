import { headerOf, type DashboardRequest } from './http.js';
import { DashboardRefusal } from './refusal.js';

/**
 * Lets only the dashboard's own pages act, so that no page of another site can do so with a visitor's cookies. Browsers tell by
 * `Sec-Fetch-Site` where a request comes from. Over plain http they leave it out, and `Origin` has to name our host.
 *
 * @throws DashboardRefusal that says which of the two differed
 */
export function requireSameSite(request: DashboardRequest, trustForwardedHost: boolean): void {
  const type = headerOf(request, 'content-type') ?? '';
  if (type.split(';', 1)[0]!.trim().toLowerCase() !== 'application/json')
    refuse(`Content-Type is ${quoted(type)}, and an action comes as application/json.`);
  const site = headerOf(request, 'sec-fetch-site');
  if (site === 'same-origin') return;
  if (site !== undefined)
    refuse(
      `Sec-Fetch-Site is ${quoted(site)}, and not "same-origin": the request comes from another page than the dashboard.`,
    );
  requireOwnOrigin(request, trustForwardedHost);
}

/**
 * Lets no script of another site read what the pages read, also where the application allows every origin by CORS. A person may
 * open such a URL by itself.
 *
 * @throws DashboardRefusal
 */
export function requireOwnReader(request: DashboardRequest): void {
  const site = headerOf(request, 'sec-fetch-site');
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  refuse(`Sec-Fetch-Site is ${quoted(site)}, and not "same-origin": jobs are read by the dashboard alone.`);
}

function requireOwnOrigin(request: DashboardRequest, trustForwardedHost: boolean): void {
  const origin = headerOf(request, 'origin');
  const forwarded = trustForwardedHost ? headerOf(request, 'x-forwarded-host') : undefined;
  const host = forwarded?.split(',', 1)[0]!.trim() ?? headerOf(request, 'host') ?? '';
  if (origin === undefined)
    refuse(
      'Both Sec-Fetch-Site and Origin are missing: the request does not come from a page of the dashboard.',
    );
  if (isOfHost(origin, host)) return;
  const advice = trustForwardedHost
    ? ''
    : ' Behind a proxy that sets X-Forwarded-Host, set trustForwardedHost: true, or let the proxy keep Host.';
  refuse(`Origin is ${quoted(origin)}, and the host of the dashboard is ${quoted(host)}.${advice}`);
}

/** An origin may be `null`, and the host may have the usual port of its protocol. */
function isOfHost(origin: string, host: string): boolean {
  if (host === '' || !URL.canParse(origin)) return false;
  const { protocol, host: expected } = new URL(origin);
  const own = `${protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === expected;
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 200));
}

function refuse(message: string): never {
  throw new DashboardRefusal('cross-site', message);
}
