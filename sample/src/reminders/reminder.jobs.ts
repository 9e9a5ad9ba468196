import { defineJob, type } from 'nestjs-typeorm-jobs';
import { OfOrder } from '../invoices/invoice.jobs.js';

/** Reminds a customer of an order that is not paid. The mark that it was sent is committed with the outcome. */
export const RemindCustomer = defineJob('order.remind', {
  schema: OfOrder,
  returns: type<{ messageId: string }>(),
  transactional: true,
  maxAttempts: 10,
  timeoutMs: 60_000,
});
