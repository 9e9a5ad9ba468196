import { Controller, Get, Header, Headers } from '@nestjs/common';
import { BacklogService } from '../backlog/backlog.service.js';
import { OrdersService } from '../orders/orders.service.js';
import { renderHome } from './home.page.js';

@Controller()
export class HomeController {
  constructor(
    private readonly orders: OrdersService,
    private readonly backlog: BacklogService,
  ) {}

  /** A page that shows what you can try. */
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  async home(@Headers('host') host: string): Promise<string> {
    return renderHome(host, await this.orders.latest(10), await this.backlog.groups());
  }
}
