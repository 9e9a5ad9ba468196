import { SHOP_TIME_ZONE } from './settings.js';

/** 1234567 → 12 345.67 EUR */
export function formatMoney(cents: number): string {
  const [whole, fraction] = (cents / 100).toFixed(2).split('.');
  return `${whole!.replace(/\B(?=(\d{3})+$)/g, '\u00a0')}.${fraction}\u00a0EUR`;
}

/** 1 invoice, 2 invoices */
export function formatCount(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

const INSTANT = new Intl.DateTimeFormat('en-GB', {
  timeZone: SHOP_TIME_ZONE,
  dateStyle: 'medium',
  timeStyle: 'short',
});

/** By the clock of the shop: 27 Nov 2026, 03:00 */
export function formatInstant(instant: Date): string {
  return INSTANT.format(instant);
}
