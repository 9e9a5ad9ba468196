import { IsEmail } from 'class-validator';
import { defineJob, type } from 'nestjs-typeorm-jobs';

export class OfCustomer {
  /** The address that the orders were placed with. */
  @IsEmail()
  customer!: string;
}

/** Computes how many orders a customer has, and their sum. */
export const RefreshCustomer = defineJob('customer.refresh', {
  schema: OfCustomer,
  returns: type<{ orders: number; totalCents: number }>(),
  transactional: true,
  maxAttempts: 5,
});
