import { Controller, Get, Header, Headers } from '@nestjs/common';
import { ActivityService } from '../activity/activity.service.js';
import { BacklogService } from '../backlog/backlog.service.js';
import { CustomersService } from '../customers/customers.service.js';
import { OrdersService } from '../orders/orders.service.js';
import { ProductsService } from '../products/products.service.js';
import { RemindersService } from '../reminders/reminders.service.js';
import { ReportsService } from '../reports/reports.service.js';
import { SchedulesService } from '../schedules/schedules.service.js';
import { renderHome } from './home.page.js';

@Controller()
export class HomeController {
  constructor(
    private readonly orders: OrdersService,
    private readonly backlog: BacklogService,
    private readonly schedules: SchedulesService,
    private readonly reports: ReportsService,
    private readonly reminders: RemindersService,
    private readonly customers: CustomersService,
    private readonly products: ProductsService,
    private readonly activity: ActivityService,
  ) {}

  /** A page that shows what you can try. */
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  async home(@Headers('host') host: string): Promise<string> {
    const [orders, groups] = [await this.orders.latest(10), await this.backlog.groups()];
    const [schedules, reports] = [await this.schedules.list(), await this.reports.latest(5)];
    const reminders = { waiting: await this.reminders.waiting(5), sent: await this.reminders.latest(5) };
    const customers = { counts: await this.customers.counts(), latest: await this.customers.latest(5) };
    const [products, events] = [await this.products.view(), this.activity.latest];
    return renderHome({ host, orders, groups, schedules, reports, reminders, customers, products, events });
  }
}
