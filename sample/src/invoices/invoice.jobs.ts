import { defineJob } from 'nestjs-typeorm-jobs';

/** Renders the invoice of an order as a PDF file. */
export const RenderInvoice = defineJob<{ orderId: string }, { file: string; bytes: number }>(
  'invoice.render',
  {
    maxAttempts: 5,
    timeoutMs: 30_000,
  },
);

/** Sends the rendered invoice to the customer. */
export const MailInvoice = defineJob<{ orderId: string }, { messageId: string }>('invoice.mail', {
  maxAttempts: 10,
  timeoutMs: 60_000,
});

/** The ids of an order's jobs. With ids of its own, a job cannot be enqueued twice. */
export function jobIdsOf(orderId: string) {
  return { render: `render-${orderId}`, mail: `mail-${orderId}` };
}
