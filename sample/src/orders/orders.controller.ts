import { createReadStream } from 'node:fs';
import {
  Body,
  Controller,
  Get,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
  StreamableFile,
  ValidationPipe,
} from '@nestjs/common';
import { JobClient } from 'nestjs-typeorm-jobs';
import { InvoiceFiles } from '../invoices/invoice-files.js';
import { jobIdsOf } from '../invoices/invoice.jobs.js';
import { totalCents, type Order } from './order.entity.js';
import { OrdersService } from './orders.service.js';
import { PlaceOrderDto } from './place-order.dto.js';

const validation = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });

@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly jobs: JobClient,
    private readonly files: InvoiceFiles,
  ) {}

  @Post()
  async place(@Body(validation) dto: PlaceOrderDto) {
    const { id, number } = await this.orders.place(dto);
    return { id, number, order: `/orders/${id}`, invoice: `/orders/${id}/invoice.pdf` };
  }

  @Get(':id')
  async show(@Param('id', ParseUUIDPipe) id: string) {
    const order = await this.require(id);
    return { ...order, totalCents: totalCents(order), jobs: await this.jobsOf(id) };
  }

  @Get(':id/invoice.pdf')
  async invoice(@Param('id', ParseUUIDPipe) id: string): Promise<StreamableFile> {
    const { number } = await this.require(id);
    if (!(await this.files.exists(number))) throw new NotFoundException('The invoice is not rendered yet.');
    const disposition = `inline; filename="${number}.pdf"`;
    return new StreamableFile(createReadStream(this.files.pathOf(number)), {
      type: 'application/pdf',
      disposition,
    });
  }

  private async require(id: string): Promise<Order> {
    const order = await this.orders.find(id);
    if (order === null) throw new NotFoundException(`There is no order ${id}.`);
    return order;
  }

  /** The ids of the jobs follow from the order's id, so `JobClient.get` is enough to read them. */
  private async jobsOf(orderId: string) {
    const jobs = await Promise.all(Object.values(jobIdsOf(orderId)).map((id) => this.jobs.get(id)));
    return jobs
      .filter((job) => job !== null)
      .map(({ kind, status, attemptsDone, runAt, lastError }) => ({
        ...{ kind, status, attemptsDone, runAt },
        lastError: lastError?.split('\n')[0],
      }));
  }
}
