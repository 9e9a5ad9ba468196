import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { JobHandler, type Job, type JobContext } from 'nestjs-typeorm-jobs';
import { ORDERS_FILE, type Settings } from '../settings.js';
import { SETTINGS } from '../settings.token.js';
import { readPriceList } from './price-list.js';
import { ImportProducts } from './product.jobs.js';
import { ProductsService } from './products.service.js';

const PRODUCTS_AT_ONCE = 5;

@Injectable()
export class ProductsHandler {
  constructor(
    private readonly products: ProductsService,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'importPauseMs'>,
  ) {}

  /** It tells how far it is as often as it likes: what came of that in a second is one write. */
  @JobHandler(ImportProducts)
  async import(_job: Job, { progress, log, signal }: JobContext) {
    const products = await readPriceList(ORDERS_FILE);
    log(`The price list has ${products.length} products.`);
    let changed = 0;
    for (let done = 0; done < products.length; done += PRODUCTS_AT_ONCE) {
      signal.throwIfAborted();
      const some = products.slice(done, done + PRODUCTS_AT_ONCE);
      changed += await this.products.store(some);
      progress((done + some.length) / products.length);
      log({ imported: done + some.length, upTo: some.at(-1)!.sku });
      await sleep(this.settings.importPauseMs, undefined, { signal }); // so that there is something to see
    }
    return { products: products.length, changed };
  }
}
