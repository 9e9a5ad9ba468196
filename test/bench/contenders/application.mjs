import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';

/** A typical application: TypeOrmModule, JobsModule, and a provider with a handler. */
export async function createApplication({ JobHandler, JobsModule }, database, options, handler) {
  class Work {
    handle(job) {
      return handler(job.payload);
    }
  }
  decorate(Work.prototype, 'handle', JobHandler('bench'));

  class AppModule {}
  Module({
    imports: [TypeOrmModule.forRoot(database), JobsModule.forRoot(options)],
    providers: handler === undefined ? [] : [Work],
  })(AppModule);
  return NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
}

/** Does what a compiler makes of `@decorator` before a method. */
function decorate(prototype, method, decorator) {
  decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
}
