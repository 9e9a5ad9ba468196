import { Injectable } from '@nestjs/common';
import { JobHandler, type Job, type JobContext } from 'nestjs-typeorm-jobs';
import { OfCustomer, RefreshCustomer } from './customer.jobs.js';
import { CustomersService } from './customers.service.js';

@Injectable()
export class CustomersHandler {
  constructor(private readonly customers: CustomersService) {}

  /** While a refresh waits, further ones of its customer join it. One that is enqueued while it runs makes another. */
  @JobHandler(RefreshCustomer, { unique: { key: ({ customer }: OfCustomer) => customer } })
  refresh({ payload }: Job<OfCustomer>, { manager }: JobContext) {
    return this.customers.refresh(payload.customer, manager);
  }
}
