import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RetryableError, PermanentError } from 'nestjs-typeorm-jobs';
import { createTransport, type Transporter } from 'nodemailer';
import { money } from '../invoices/invoice-pdf.js';
import { totalCents, type Order } from '../orders/order.entity.js';
import { MailServer } from './mail-server.js';

const RETRY_AFTER_MS = 5_000;

/** Sends mails, and tells the two kinds of failure apart. */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private transport: Transporter | undefined;

  constructor(private readonly server: MailServer) {}

  /**
   * @returns the message id
   * @throws RetryableError if the server says "later", PermanentError if it says "never"
   */
  async sendInvoice(order: Order, invoice: Buffer): Promise<string> {
    this.transport ??= createTransport({
      host: '127.0.0.1',
      port: this.server.port,
      pool: true,
      ignoreTLS: true,
    });
    try {
      const { messageId } = (await this.transport.sendMail({
        messageId: `<invoice-${order.number}@shop.example>`,
        from: 'Quill & Bone <orders@shop.example>',
        to: { name: order.customer, address: order.email },
        subject: `Your invoice ${order.number}`,
        text: `Thank you for your order.\n\nThe invoice for ${money(totalCents(order))} is attached.\n`,
        attachments: [{ filename: `${order.number}.pdf`, content: invoice, contentType: 'application/pdf' }],
      })) as { messageId: string };
      return messageId;
    } catch (cause) {
      throw meaningOf(cause as Error & { responseCode?: number });
    }
  }

  onApplicationShutdown(): void {
    this.transport?.close();
  }
}

function meaningOf(cause: Error & { responseCode?: number }): Error {
  const { responseCode = 0 } = cause;
  if (responseCode >= 500) return new PermanentError('The mail server refuses the mail for good.', { cause });
  const isTemporary = responseCode >= 400 || 'code' in cause; // errors with a code come from the network
  return isTemporary
    ? new RetryableError('The mail server asks the sender to come back later.', {
        retryAfterMs: RETRY_AFTER_MS,
        cause,
      })
    : cause;
}
