import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { JobClient, type Job, type JobLogLine } from 'nestjs-typeorm-jobs';
import { DataSource, In } from 'typeorm';
import { Product } from './product.entity.js';
import { ImportProducts } from './product.jobs.js';

/** How many products there are, and how the latest import fares. */
export interface ProductsView {
  readonly products: number;
  /** Undefined where none was ever asked for. */
  readonly latest: Job | undefined;
  /** What it has logged last. */
  readonly log: readonly JobLogLine[];
}

const LINES = 5;

@Injectable()
export class ProductsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly jobs: JobClient,
  ) {}

  /** Imports the price list in the background. While an import has not ended, there is no second one. */
  async importLater(): Promise<void> {
    const unique = { key: 'price list', while: 'unsettled' } as const;
    await this.jobs.enqueue(ImportProducts, undefined, { unique });
  }

  /** @returns how many of them are new or have another price */
  async store(products: readonly Product[]): Promise<number> {
    const { manager } = this.dataSource;
    const known = await manager.findBy(Product, { sku: In(products.map(({ sku }) => sku)) });
    const priceOf = new Map(known.map(({ sku, unitPriceCents }) => [sku, unitPriceCents]));
    const changed = products.filter(({ sku, unitPriceCents }) => priceOf.get(sku) !== unitPriceCents);
    await manager.upsert(Product, [...products], ['sku']);
    return changed.length;
  }

  async view(): Promise<ProductsView> {
    const products = await this.dataSource.manager.count(Product);
    const { jobs } = await this.jobs.find({ kinds: [ImportProducts.kind] }, { limit: 1 });
    const [latest] = jobs;
    const log = latest === undefined ? [] : (await this.jobs.logs(latest.id)).lines.slice(-LINES);
    return { products, latest, log };
  }
}
