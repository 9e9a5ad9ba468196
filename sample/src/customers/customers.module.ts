import { Module } from '@nestjs/common';
import { CustomersHandler } from './customers.handler.js';
import { CustomersService } from './customers.service.js';

@Module({
  providers: [CustomersHandler, CustomersService],
  exports: [CustomersService],
})
export class CustomersModule {}
