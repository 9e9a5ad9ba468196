import { Module } from '@nestjs/common';
import { InvoiceFiles } from '../invoices/invoice-files.js';
import { OrdersController } from './orders.controller.js';
import { OrdersImporter } from './orders.importer.js';
import { OrdersService } from './orders.service.js';

@Module({
  controllers: [OrdersController],
  providers: [OrdersService, OrdersImporter, InvoiceFiles],
  exports: [OrdersService, OrdersImporter],
})
export class OrdersModule {}
