import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { JobClient } from 'nestjs-typeorm-jobs';
import { JobsTestingModule, jobsTester } from 'nestjs-typeorm-jobs/testing';
import type { Product } from '../src/products/product.entity.js';
import { ImportProducts } from '../src/products/product.jobs.js';
import { ProductsHandler } from '../src/products/products.handler.js';
import { ProductsService } from '../src/products/products.service.js';
import { SETTINGS } from '../src/settings.token.js';

/** Needs no database; the price list is the sample's own. */
describe('The import of the price list', () => {
  let app: INestApplicationContext;
  let stored: Product[];

  beforeEach(async () => {
    stored = [];
    const store = (products: readonly Product[]) => {
      stored.push(...products);
      return Promise.resolve(products.length);
    };
    app = await Test.createTestingModule({
      imports: [JobsTestingModule.forRoot()],
      providers: [
        ProductsHandler,
        { provide: ProductsService, useValue: { store } },
        { provide: SETTINGS, useValue: { importPauseMs: 0 } },
      ],
    }).compile();
  });

  afterEach(() => app.close());

  it('stores each product once, tells how far it has come, and logs with its job', async () => {
    const jobs = app.get(JobClient);
    const { id } = await jobs.enqueue(ImportProducts, undefined);
    await jobsTester(app).drain();
    const job = await jobs.get(ImportProducts, id);
    expect(job).toMatchObject({ status: 'DONE', progress: 1, result: { products: stored.length } });
    expect(stored.length).toBeGreaterThan(10);
    expect(new Set(stored.map(({ sku }) => sku)).size).toBe(stored.length);
    const { lines } = await jobs.logs(id);
    expect(lines[0]!.text).toBe(`The price list has ${stored.length} products.`);
    expect(lines.at(-1)!.fields).toMatchObject({ imported: stored.length });
  });
});
