import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { JobEntity, JobsModule } from 'nestjs-typeorm-jobs';
import { ActivityModule } from './activity/activity.module.js';
import { BacklogModule } from './backlog/backlog.module.js';
import { Customer } from './customers/customer.entity.js';
import { CustomersModule } from './customers/customers.module.js';
import { RefreshRequest } from './customers/refresh-request.entity.js';
import { HomeController } from './home/home.controller.js';
import { Invoice } from './invoices/invoice.entity.js';
import { InvoicesModule } from './invoices/invoices.module.js';
import { MailModule } from './mail/mail.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { Order, OrderLine } from './orders/order.entity.js';
import { OrdersModule } from './orders/orders.module.js';
import { Product } from './products/product.entity.js';
import { ProductsModule } from './products/products.module.js';
import { Reminder } from './reminders/reminder.entity.js';
import { RemindersModule } from './reminders/reminders.module.js';
import { Report } from './reports/report.entity.js';
import { ReportsModule } from './reports/reports.module.js';
import { SchedulesModule } from './schedules/schedules.module.js';
import { SETTINGS } from './settings.token.js';
import type { Settings } from './settings.js';

@Module({})
class SettingsModule {}

@Module({})
export class AppModule {
  static with(settings: Settings, databaseUrl: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        {
          module: SettingsModule,
          global: true,
          providers: [{ provide: SETTINGS, useValue: settings }],
          exports: [SETTINGS],
        },
        TypeOrmModule.forRoot({
          type: databaseUrl.startsWith('mysql') ? 'mysql' : 'postgres',
          url: databaseUrl,
          timezone: 'Z',
          entities: [
            Order,
            OrderLine,
            Invoice,
            Reminder,
            Customer,
            RefreshRequest,
            Report,
            Product,
            JobEntity,
          ],
          synchronize: true, // fine for a sample; it leaves the jobs table alone
          retryAttempts: 1,
        }),
        // This is all that background jobs need. The table is created at startup.
        JobsModule.forRoot({ worker: { shutdownTimeoutMs: 10_000 } }),
        OrdersModule,
        InvoicesModule,
        MailModule,
        RemindersModule,
        CustomersModule,
        ReportsModule,
        SchedulesModule,
        ProductsModule,
        ActivityModule,
        BacklogModule,
        OperationsModule,
      ],
      controllers: [HomeController],
    };
  }
}
