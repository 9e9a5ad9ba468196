import type { CanActivate, DynamicModule, Type } from '@nestjs/common';
import { InvalidOptionError } from '../job/errors.js';
import type { Job } from '../job/job.js';
import { aFunction, aList, allow, anObject, moduleName, text, trueOrFalse } from '../job/option-checks.js';
import { resolveByRules, type OptionRules, type ResolvedByRules } from '../job/option-rules.js';
import { DEFAULT_NAME } from '../nest/jobs.tokens.js';
import { isWebUrl } from './values/web-url.js';

/** A guard as `@UseGuards` takes it: a class, which Nest makes with its dependencies, or an instance. */
export type DashboardGuard = Type<CanActivate> | CanActivate;

// Only the user knows the type of a request: it depends on the platform and on what authenticates.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type OfRequest<Answer> = (request: any) => Answer;

/** Who may do something: a guard, or a function that tells it of a request. */
export type DashboardRole = DashboardGuard | OfRequest<boolean | Promise<boolean>>;

export interface DashboardRoles {
  /** Who may see the dashboard. Default: everybody whom the guards let in. */
  readonly read?: DashboardRole;
  /** Who may change jobs, kinds and schedules. Default: everybody who may read. */
  readonly act?: DashboardRole;
  /** Who may see payloads and results that are redacted. Default: everybody who may act. */
  readonly reveal?: DashboardRole;
}

/** Whether the value at a path is hidden: `payload.card.number`, `payload.items.0`, `result.token`, `carried.user`. */
export type Redact = (job: Job, path: string) => boolean;

/**
 * Where a trace is shown: a URL that begins with `http://` or `https://`, or null for no link.
 *
 * @param traceId 32 hexadecimal digits
 */
export type TraceUrl = (traceId: string, job: Job) => string | null;

/** The options that Nest must know before a factory of the others runs. */
export interface JobsDashboardIdentity {
  /** Where the dashboard is, below the global prefix: `'admin/jobs'`. */
  readonly path: string;
  /** Who gets in. They run in this order, after the global ones. Each of them has to agree. */
  readonly guards?: readonly DashboardGuard[];
  /** `true` in the place of guards: everybody who reaches the server gets in. A warning says so at each start. */
  readonly unguarded?: boolean;
  /** The `name` of the `JobsModule` that it is of. Default: that of the one without a name. */
  readonly name?: string;
  /** Modules whose providers the guards need. Default: none. */
  readonly imports?: DynamicModule['imports'];
}

/** What the dashboard shows, and to whom. */
export interface JobsDashboardSettings {
  /** Who may do what, beside the guards. */
  readonly roles?: DashboardRoles;
  /**
   * What is hidden of payloads, results and what jobs carry: what the function says, all (`true`) or nothing (`false`). Default:
   * what the schema of the kind marks with `redact: true`, `"x-redact": true` or `writeOnly: true`, and everything of kinds that
   * no handler of this process serves, whose schemas it does not know. A function is asked beside the marks.
   */
  readonly redact?: boolean | Redact;
  /** Nothing can be changed. Default false. */
  readonly readOnly?: boolean;
  /** Who makes a request, for the audit. Default: `username`, `email`, `name`, `id` or `sub` of `request.user`. */
  readonly who?: OfRequest<string>;
  /**
   * Where your traces are shown: a URL with `{traceId}` in it, as `'https://tempo.example/trace/{traceId}'`, or a function that
   * makes one. The page of a job then links to its trace, in another tab. Default: the id of the trace as text.
   */
  readonly traceUrl?: string | TraceUrl;
  /** The title of the pages. Default `'Jobs'`; with a `name`, that. */
  readonly title?: string;
  /**
   * Takes the host of the page from `X-Forwarded-Host`. Only behind a proxy that sets it; else a page of another site could
   * pass for one of ours. Default false.
   */
  readonly trustForwardedHost?: boolean;
  /** The folder with the bundled pages, where the application is bundled into one file. Default: that of the package. */
  readonly assetsFolder?: string;
}

/** What `JobsDashboardModule.forRoot` takes. */
export interface JobsDashboardOptions extends JobsDashboardIdentity, JobsDashboardSettings {}

/** What stands for the id of the trace in a `traceUrl`. */
export const TRACE_ID = '{traceId}';

const aRole = allow('a guard or a function', isRole);

const ROLE_RULES = {
  read: { check: aRole },
  act: { check: aRole },
  reveal: { check: aRole },
} satisfies OptionRules<DashboardRoles>;

const IDENTITY_RULES = {
  path: { check: text },
  guards: { default: [], check: aListOfGuards },
  unguarded: { default: false, check: trueOrFalse },
  name: { default: DEFAULT_NAME, check: moduleName },
  imports: { default: [], check: aList },
} satisfies OptionRules<JobsDashboardIdentity>;

const SETTINGS_RULES = {
  roles: {
    default: {},
    check: (value, option) => {
      anObject(value, option, undefined);
      resolveByRules(value as DashboardRoles, ROLE_RULES, { prefix: `${option}.` });
    },
  },
  redact: {
    check: allow('true, false or a function', (value) => ['boolean', 'function'].includes(typeof value)),
  },
  readOnly: { default: false, check: trueOrFalse },
  who: { check: aFunction },
  traceUrl: {
    check: allow(
      `a URL that begins with http:// or https:// and has ${TRACE_ID} in it, or a function`,
      isTraceUrl,
    ),
  },
  title: { check: text },
  trustForwardedHost: { default: false, check: trueOrFalse },
  assetsFolder: { check: text },
} satisfies OptionRules<JobsDashboardSettings>;

export type ResolvedIdentity = ResolvedByRules<JobsDashboardIdentity, typeof IDENTITY_RULES>;
export type ResolvedSettings = ResolvedByRules<JobsDashboardSettings, typeof SETTINGS_RULES>;

/** @throws InvalidOptionError, also where there are neither guards nor `unguarded` */
export function resolveDashboardOptions(options: JobsDashboardOptions): {
  readonly identity: ResolvedIdentity;
  readonly settings: ResolvedSettings;
} {
  anObject(options, 'options', undefined);
  const rules = { ...IDENTITY_RULES, ...SETTINGS_RULES };
  resolveByRules(options, rules); // which names there are is told of all options together
  const [own, others] = [Object.keys(IDENTITY_RULES), Object.keys(SETTINGS_RULES)];
  return {
    identity: resolveIdentity(pick(options, own) as unknown as JobsDashboardIdentity),
    settings: resolveSettings(pick(options, others)),
  };
}

/** @throws InvalidOptionError */
export function resolveIdentity(options: JobsDashboardIdentity): ResolvedIdentity {
  const resolved = resolveByRules(options, IDENTITY_RULES);
  text(resolved.path, 'path', undefined);
  const isGuarded = resolved.guards.length > 0;
  if (isGuarded === resolved.unguarded)
    throw new InvalidOptionError(
      'guards',
      isGuarded ? 'given beside unguarded: true' : resolved.guards,
      isGuarded
        ? 'left out, or else unguarded'
        : 'a list of at least one guard, so that not everybody gets in. Where something else keeps strangers out, as a ' +
            'private network, say unguarded: true',
    );
  return resolved;
}

/** @throws InvalidOptionError */
export function resolveSettings(settings: JobsDashboardSettings): ResolvedSettings {
  return resolveByRules(settings, SETTINGS_RULES);
}

function isTraceUrl(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return isWebUrl(value) && value.includes(TRACE_ID);
}

function aListOfGuards(value: unknown, option: string): void {
  aList(value, option, undefined);
  for (const [index, guard] of (value as readonly unknown[]).entries())
    if (!isGuard(guard))
      throw new InvalidOptionError(`${option}[${index}]`, guard, 'a guard: a class or an instance');
}

function isRole(value: unknown): boolean {
  return typeof value === 'function' || isGuard(value);
}

function isGuard(value: unknown): boolean {
  if (isGuardClass(value)) return true;
  return typeof value === 'object' && value !== null && 'canActivate' in value;
}

/** Whether a function is the class of a guard, and no function of a request. */
export function isGuardClass(value: unknown): value is Type<CanActivate> {
  if (typeof value !== 'function') return false;
  const prototype = value.prototype as Partial<CanActivate> | undefined;
  return typeof prototype?.canActivate === 'function';
}

function pick(options: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}
