import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';
import { SETTINGS } from '../settings.token.js';
import type { Settings } from '../settings.js';

/** One recipient in twelve is greylisted: the first attempt to send to it is put off. */
const GREYLISTED_OF = 12;

/**
 * The sample's SMTP server. It stores the mails it receives as .eml files. Like other mail servers, it puts off some
 * senders with a temporary error and refuses mailboxes that do not exist.
 */
@Injectable()
export class MailServer implements OnModuleInit, OnApplicationShutdown {
  readonly folder: string;
  private readonly putOff = new Set<string>();
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onRcptTo: ({ address }, _session, done) => done(this.objectionTo(address)),
    onData: (stream, _session, done) => {
      this.keep(stream).then(
        () => done(),
        (error: unknown) => done(error as Error),
      );
    },
  });

  constructor(@Inject(SETTINGS) { dataDir }: Settings) {
    this.folder = join(dataDir, 'mails');
  }

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  /** The orders whose invoice has arrived, by their numbers. */
  async invoiced(): Promise<ReadonlySet<string>> {
    const names = await readdir(this.folder);
    return new Set(names.map((name) => /^invoice-(.+)_shop\.example\.eml$/.exec(name)?.[1] ?? ''));
  }

  async onModuleInit(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', () => {
        this.server.off('error', reject);
        this.server.on('error', () => undefined); // a client hung up
        resolve();
      });
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private objectionTo(address: string): Error | undefined {
    if (isRefused(address)) return smtpError(550, 'No such user here');
    const isGreylisted = createHash('sha256').update(address).digest()[0]! % GREYLISTED_OF === 0;
    if (!isGreylisted || this.putOff.has(address)) return undefined;
    this.putOff.add(address);
    return smtpError(451, 'Greylisted, please try again later');
  }

  /** Stores a mail under its message id, so that a mail sent twice is kept once, as mailboxes that know the id do. */
  private async keep(stream: SMTPServerDataStream): Promise<void> {
    const mail = await buffer(stream);
    const messageId = /^message-id:\s*<([^>]+)>/im.exec(mail.toString('latin1'))?.[1] ?? String(Date.now());
    const path = join(this.folder, `${messageId.replace(/[^\w.-]/g, '_')}.eml`);
    await writeFile(`${path}.part`, mail);
    await rename(`${path}.part`, path);
  }
}

/** Whether a mailbox does not exist. */
export function isRefused(address: string): boolean {
  return address.startsWith('no-such-user');
}

function smtpError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
