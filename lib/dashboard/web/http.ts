import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { escapeHtml } from './escape-html.js';

/*
 * Requests and answers, on whatever platform. Requests are read as far as Node's own have it; answers are written by
 * Nest's adapter.
 */

/** What is read of a request. */
export interface DashboardRequest {
  /** The whole URL on Express, where routers shorten `url`. */
  readonly originalUrl?: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As a body parser has read it. */
  readonly body?: unknown;
}

/** Only our own scripts, styles and requests; nothing inline, no frames, no forms. */
export const CONTENT_SECURITY_POLICY = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self'`,
  `connect-src 'self'`,
  `img-src 'self' data:`,
  `base-uri 'self'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

/** What every answer has, also where a guard refuses it. */
export const ANSWER_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** Sets the headers before any other guard of the dashboard runs. Those that helmet has set are replaced. */
@Injectable()
export class AnswerHeaders implements CanActivate {
  constructor(private readonly host: HttpAdapterHost) {}

  canActivate(context: ExecutionContext): boolean {
    const response: unknown = context.switchToHttp().getResponse();
    for (const [name, value] of Object.entries(ANSWER_HEADERS))
      this.host.httpAdapter.setHeader(response, name, value);
    return true;
  }
}

/** A text to be sent. */
export interface Answer {
  readonly status: number;
  readonly type: 'text/html' | 'application/json' | 'text/javascript' | 'text/css' | 'image/svg+xml';
  readonly text: string;
  /** Default: those of every answer. */
  readonly cacheControl?: string;
}

/**
 * Sends an answer past Nest's interceptors, which in many applications wrap what handlers return: the pages would not find
 * what they look for.
 */
export function send({ httpAdapter }: HttpAdapterHost, response: unknown, answer: Answer): void {
  const { status, type, text, cacheControl } = answer;
  httpAdapter.setHeader(response, 'Content-Type', `${type}; charset=utf-8`);
  if (cacheControl !== undefined) httpAdapter.setHeader(response, 'Cache-Control', cacheControl);
  httpAdapter.reply(response, text, status);
}

/** JSON that is also harmless where something takes it for HTML. */
export function json(value: unknown, status = 200): Answer {
  return { status, type: 'application/json', text: JSON.stringify(value).replaceAll('<', '\\u003c') };
}

/** The path of a request as it came in, without its query: `/admin/jobs`. */
export function pathOf(request: DashboardRequest): string {
  return (request.originalUrl ?? request.url).split(/[?#]/, 1)[0]!;
}

export function queryOf(request: DashboardRequest): URLSearchParams {
  const url = request.originalUrl ?? request.url;
  const start = url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1));
}

/** Undefined where it is not there. Of several, the first. */
export function headerOf(request: DashboardRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' || value === undefined ? value : value[0];
}

/** What a page links to relatively: `/admin/jobs` and `/admin/jobs/` have the same `api/overview`. */
export function baseOf(request: DashboardRequest): string {
  const lastSegment = pathOf(request).split('/').at(-1)!;
  return escapeHtml(lastSegment === '' ? './' : `./${lastSegment}/`);
}
