import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RetryableError, PermanentError } from 'nestjs-typeorm-jobs';
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer';
import { formatMoney } from '../format.js';
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
  sendInvoice(order: Order, invoice: Buffer): Promise<string> {
    return this.send(order, {
      messageId: `<invoice-${order.number}@shop.example>`,
      subject: `Your invoice ${order.number}`,
      text: `Thank you for your order.\n\nThe invoice for ${formatMoney(totalCents(order))} is attached.\n`,
      attachments: [{ filename: `${order.number}.pdf`, content: invoice, contentType: 'application/pdf' }],
    });
  }

  /** Like `sendInvoice`. An order may have several reminders, so each has an id of its own. */
  sendReminder(order: Order, reminderId: string): Promise<string> {
    return this.send(order, {
      messageId: `<reminder-${reminderId}@shop.example>`,
      subject: `Your order ${order.number} is not paid yet`,
      text: `We have put your order aside, and send it when ${formatMoney(totalCents(order))} have arrived.\n`,
    });
  }

  private async send({ customer, email }: Order, mail: SendMailOptions): Promise<string> {
    this.transport ??= createTransport({
      host: '127.0.0.1',
      port: this.server.port,
      pool: true,
      ignoreTLS: true,
    });
    try {
      const { messageId } = (await this.transport.sendMail({
        from: 'Quill & Bone <orders@shop.example>',
        to: { name: customer, address: email },
        ...mail,
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
