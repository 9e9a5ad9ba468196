import { Module } from '@nestjs/common';
import { CustomersModule } from '../customers/customers.module.js';
import { InvoiceFiles } from '../invoices/invoice-files.js';
import { RemindersModule } from '../reminders/reminders.module.js';
import { OrderChanges } from './order-changes.service.js';
import { OrderChangesController } from './order-changes.controller.js';
import { OrdersController } from './orders.controller.js';
import { OrdersImporter } from './orders.importer.js';
import { OrdersService } from './orders.service.js';

@Module({
  imports: [RemindersModule, CustomersModule],
  controllers: [OrdersController, OrderChangesController],
  providers: [OrdersService, OrderChanges, OrdersImporter, InvoiceFiles],
  exports: [OrdersService, OrdersImporter],
})
export class OrdersModule {}
