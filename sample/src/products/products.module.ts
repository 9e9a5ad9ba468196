import { Module } from '@nestjs/common';
import { ProductsController } from './products.controller.js';
import { ProductsHandler } from './products.handler.js';
import { ProductsService } from './products.service.js';

@Module({
  controllers: [ProductsController],
  providers: [ProductsHandler, ProductsService],
  exports: [ProductsService],
})
export class ProductsModule {}
