import { Module } from '@nestjs/common';
import { ReportsHandler } from './reports.handler.js';
import { ReportsService } from './reports.service.js';

@Module({
  providers: [ReportsHandler, ReportsService],
  exports: [ReportsService],
})
export class ReportsModule {}
