import { Module } from '@nestjs/common';
import { MailModule } from '../mail/mail.module.js';
import { RemindersHandler } from './reminders.handler.js';
import { RemindersService } from './reminders.service.js';

@Module({
  imports: [MailModule],
  providers: [RemindersHandler, RemindersService],
  exports: [RemindersService],
})
export class RemindersModule {}
