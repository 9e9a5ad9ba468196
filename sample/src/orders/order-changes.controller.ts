import { Controller, NotFoundException, Param, ParseUUIDPipe, Post, Redirect } from '@nestjs/common';
import { OrderChanges } from './order-changes.service.js';
import type { Order } from './order.entity.js';

/** What the buttons of the home page do with an order. All of them lead back to it. */
@Controller('orders/:id')
export class OrderChangesController {
  constructor(private readonly changes: OrderChanges) {}

  @Post('gift-wrap')
  @Redirect('/', 303)
  async giftWrap(@Param('id', ParseUUIDPipe) id: string): Promise<void> {
    require(await this.changes.toggleGiftWrap(id));
  }

  @Post('pay')
  @Redirect('/', 303)
  async pay(@Param('id', ParseUUIDPipe) id: string): Promise<void> {
    require(await this.changes.pay(id));
  }

  @Post('cancel')
  @Redirect('/', 303)
  async cancel(@Param('id', ParseUUIDPipe) id: string): Promise<void> {
    require(await this.changes.cancel(id));
  }
}

function require(order: Order | null): void {
  if (order === null) throw new NotFoundException('There is no such order.');
}
