import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import {
  Body,
  ConflictException,
  Controller,
  Get,
  HttpStatus,
  Inject,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
  Res,
  StreamableFile,
  ValidationPipe,
} from '@nestjs/common';
import { JobClient, JobFailedError, JobGoneError, WaitTimeoutError } from 'nestjs-typeorm-jobs';
import { InvoiceFiles } from '../invoices/invoice-files.js';
import { jobIdsOf, type Rendered } from '../invoices/invoice.jobs.js';
import { SETTINGS } from '../settings.token.js';
import type { Settings } from '../settings.js';
import { totalCents, type Order } from './order.entity.js';
import { OrdersService } from './orders.service.js';
import { PlaceOrderDto } from './place-order.dto.js';
import { RequestSignal } from './request-signal.js';

const validation = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });

@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly jobs: JobClient,
    private readonly files: InvoiceFiles,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Post()
  async place(@Body(validation) dto: PlaceOrderDto) {
    const { id, number } = await this.orders.place(dto);
    return { id, number, order: `/orders/${id}`, invoice: `/orders/${id}/invoice.pdf` };
  }

  @Get(':id')
  async show(@Param('id', ParseUUIDPipe) id: string) {
    const order = await this.require(id);
    return { ...order, totalCents: totalCents(order), jobs: await this.jobsOf(order) };
  }

  /** Waits for the invoice. Answers 202 where that takes longer, and stops waiting when the client has gone. */
  @Get(':id/invoice')
  async awaitInvoice(
    @Param('id', ParseUUIDPipe) id: string,
    @RequestSignal() signal: AbortSignal,
    @Res({ passthrough: true }) response: ServerResponse,
  ) {
    const { number } = await this.require(id);
    const links = { number, order: `/orders/${id}`, invoice: `/orders/${id}/invoice.pdf` };
    try {
      const options = { timeoutMs: this.settings.invoiceWaitMs, signal };
      const { bytes } = await this.jobs.waitForResult<Rendered>(jobIdsOf(id).render, options);
      return { ...links, bytes };
    } catch (error) {
      if (signal.aborted) return undefined; // there is no one left to answer
      if (error instanceof JobFailedError) throw new ConflictException(error.message);
      if (error instanceof JobGoneError) throw new NotFoundException(error.message);
      if (!(error instanceof WaitTimeoutError)) throw error;
      response.statusCode = HttpStatus.ACCEPTED;
      return { ...links, message: 'The invoice is not rendered yet. Ask again.' };
    }
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

  /** Two ids follow from the order's id and one is stored with it, so `JobClient.get` is enough to read the jobs. */
  private async jobsOf({ id: orderId, reminderId }: Order) {
    const ids = [...Object.values(jobIdsOf(orderId)), ...(reminderId === null ? [] : [reminderId])];
    const jobs = await Promise.all(ids.map((id) => this.jobs.get(id)));
    return jobs
      .filter((job) => job !== null)
      .map(({ kind, status, attemptsDone, runAt, lastError, cancelReason }) => ({
        ...{ kind, status, attemptsDone, runAt, cancelReason },
        lastError: lastError?.split('\n')[0],
      }));
  }
}
