import { Controller, Get, Header } from '@nestjs/common';
import { BacklogService } from '../backlog/backlog.service.js';
import { OrdersService } from '../orders/orders.service.js';
import { renderHome } from './home.page.js';

@Controller()
export class HomeController {
  constructor(
    private readonly orders: OrdersService,
    private readonly backlog: BacklogService,
  ) {}

  /** A page that says what there is to try. */
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  async home(): Promise<string> {
    return renderHome(await this.orders.latest(10), await this.backlog.groups());
  }
}
