import { IsUUID } from 'class-validator';
import { defineJob, type } from 'nestjs-typeorm-jobs';

/** What both jobs are about. */
export class OfOrder {
  @IsUUID()
  orderId!: string;
}

/** Renders the invoice of an order as a PDF file. Its row, and the job that mails it, are committed with the outcome. */
export const RenderInvoice = defineJob('invoice.render', {
  schema: OfOrder,
  returns: type<{ file: string; bytes: number }>(),
  transactional: true,
  maxAttempts: 5,
  timeoutMs: 30_000,
});

/** Sends the rendered invoice to the customer. */
export const MailInvoice = defineJob('invoice.mail', {
  schema: OfOrder,
  returns: type<{ messageId: string }>(),
  maxAttempts: 10,
  timeoutMs: 60_000,
});

/** The ids of an order's jobs. With ids of its own, a job cannot be enqueued twice. */
export function jobIdsOf(orderId: string) {
  return { render: `render-${orderId}`, mail: `mail-${orderId}` };
}
