import { IsUUID } from 'class-validator';
import { defineJob, type } from 'nestjs-typeorm-jobs';

/** The payload of both jobs. */
export class OfOrder {
  @IsUUID()
  orderId!: string;
}

/** What rendering an invoice results in. */
export interface Rendered {
  readonly file: string;
  readonly bytes: number;
}

/** Renders an order's invoice as a PDF file. The invoice's row and the job that mails it are committed with the outcome. */
export const RenderInvoice = defineJob('invoice.render', {
  schema: OfOrder,
  returns: type<Rendered>(),
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

/** The ids of an order's jobs. They follow from the order's id, so no job of an order can be enqueued twice. */
export function jobIdsOf(orderId: string) {
  return { render: `render-${orderId}`, mail: `mail-${orderId}` };
}
