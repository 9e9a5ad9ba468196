import { Controller, NotFoundException, Param, Post, Redirect } from '@nestjs/common';
import { JobSchedules, UnknownScheduleError } from 'nestjs-typeorm-jobs';

/** What the buttons of the home page do. All of them lead back to it. */
@Controller('schedules/:name')
export class SchedulesController {
  constructor(private readonly schedules: JobSchedules) {}

  @Post('run')
  @Redirect('/', 303)
  async run(@Param('name') name: string): Promise<void> {
    await this.schedules.trigger(name).catch(asNotFound);
  }

  @Post('pause')
  @Redirect('/', 303)
  async pause(@Param('name') name: string): Promise<void> {
    await this.schedules.pause(name, { reason: 'on the home page' }).catch(asNotFound);
  }

  @Post('resume')
  @Redirect('/', 303)
  async resume(@Param('name') name: string): Promise<void> {
    await this.schedules.resume(name).catch(asNotFound);
  }
}

function asNotFound(error: unknown): never {
  throw error instanceof UnknownScheduleError ? new NotFoundException(error.message) : error;
}
