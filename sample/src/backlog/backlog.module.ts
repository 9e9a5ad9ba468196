import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobEntity } from 'nestjs-typeorm-jobs';
import { Invoice } from '../invoices/invoice.entity.js';
import { InvoiceFiles } from '../invoices/invoice-files.js';
import { MailModule } from '../mail/mail.module.js';
import { Order } from '../orders/order.entity.js';
import { Report } from '../reports/report.entity.js';
import { BacklogService } from './backlog.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([JobEntity, Order, Invoice, Report]), MailModule],
  providers: [BacklogService, InvoiceFiles],
  exports: [BacklogService],
})
export class BacklogModule {}
