import { createReadStream } from 'node:fs';
import { Injectable } from '@nestjs/common';
import { parse } from 'csv-parse';
import { OrdersService, type NumberedOrder } from './orders.service.js';

/** One row of the file: a line of an order, or an order without lines. */
interface Row extends Record<string, string> {
  number: string;
  sku: string;
}

const ORDERS_AT_ONCE = 50;

/** Loads the orders of another shop system from a CSV file. */
@Injectable()
export class OrdersImporter {
  constructor(private readonly orders: OrdersService) {}

  /** @returns how many orders were loaded: 0 if the shop already has orders */
  async load(file: string, limit: number): Promise<number> {
    if ((await this.orders.count()) > 0) return 0;
    const orders = (await readOrders(file)).slice(0, limit);
    for (let start = 0; start < orders.length; start += ORDERS_AT_ONCE) {
      await this.orders.placeAll(orders.slice(start, start + ORDERS_AT_ONCE));
    }
    return orders.length;
  }
}

async function readOrders(file: string): Promise<NumberedOrder[]> {
  const orders = new Map<string, NumberedOrder>();
  const rows = createReadStream(file).pipe(parse({ columns: true, bom: true })) as AsyncIterable<Row>;
  for await (const row of rows) {
    const order = orders.get(row.number) ?? orderOf(row);
    orders.set(row.number, order);
    if (row.sku !== '') order.lines.push(lineOf(row));
  }
  return [...orders.values()];
}

function orderOf(row: Row): NumberedOrder {
  return {
    number: row.number,
    placedAt: new Date(row.placed_at!),
    paidAt: row.paid_at === '' ? null : new Date(row.paid_at!),
    customer: row.customer!.trim(),
    email: row.email!,
    street: row.street!,
    city: row.city!,
    country: row.country!,
    lines: [],
  };
}

function lineOf(row: Row) {
  return {
    sku: row.sku,
    product: row.product!,
    quantity: Number(row.quantity),
    unitPriceCents: Number(row.unit_price_cents),
  };
}
