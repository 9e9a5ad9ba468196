import { Module } from '@nestjs/common';
import { MailModule } from '../mail/mail.module.js';
import { OrdersModule } from '../orders/orders.module.js';
import { InvoiceFiles } from './invoice-files.js';
import { InvoicesHandler } from './invoices.handler.js';

@Module({
  imports: [OrdersModule, MailModule],
  providers: [InvoicesHandler, InvoiceFiles],
})
export class InvoicesModule {}
