import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import type { Product } from './product.entity.js';

/** The products of the orders in a CSV file, each with the price of its latest order there. */
export async function readPriceList(file: string): Promise<Product[]> {
  const products = new Map<string, Product>();
  const rows = createReadStream(file).pipe(parse({ columns: true, bom: true })) as AsyncIterable<
    Record<string, string>
  >;
  for await (const { sku, product, unit_price_cents } of rows) {
    if (sku === undefined || sku === '') continue; // an order without lines
    products.set(sku, { sku, name: product!, unitPriceCents: Number(unit_price_cents) });
  }
  return [...products.values()].toSorted((one, other) => one.sku.localeCompare(other.sku));
}
