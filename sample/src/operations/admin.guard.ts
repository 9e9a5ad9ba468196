import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  Inject,
  Injectable,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { SETTINGS } from '../settings.token.js';
import type { Settings } from '../settings.js';

export const ADMIN = 'admin';

/** Asks for the name `admin` and the password of the settings; browsers show a dialog for them. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const [, login = ''] = http.getRequest<IncomingMessage>().headers.authorization?.split(' ') ?? [];
    const given = Buffer.from(login, 'base64').toString();
    if (timingSafeEqual(digest(given), digest(`${ADMIN}:${this.settings.adminPassword}`))) return true;
    http.getResponse<ServerResponse>().setHeader('WWW-Authenticate', 'Basic realm="shop"');
    throw new UnauthorizedException('This is for the staff of the shop.');
  }
}

/** Digests are of one length, which the comparison needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
