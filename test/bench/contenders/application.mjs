import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';

/**
 * A typical application: TypeOrmModule, JobsModule, and a provider with a handler.
 *
 * @param dashboard the module of a dashboard; with one, the application is a server of HTTP
 */
export async function createApplication({ JobHandler, JobsModule }, database, options, handler, dashboard) {
  class Work {
    handle(job, context) {
      return handler(job.payload, context);
    }
  }
  decorate(Work.prototype, 'handle', JobHandler('bench'));

  class AppModule {}
  Module({
    imports: [TypeOrmModule.forRoot(database), JobsModule.forRoot(options), dashboard ?? []].flat(),
    providers: handler === undefined ? [] : [Work],
  })(AppModule);
  const logger = ['error', 'warn'];
  if (dashboard === undefined) return NestFactory.createApplicationContext(AppModule, { logger });
  const app = await NestFactory.create(AppModule, { logger });
  await app.listen(0, '127.0.0.1');
  return app;
}

/** Does what a compiler makes of `@decorator` before a method. */
function decorate(prototype, method, decorator) {
  decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
}
