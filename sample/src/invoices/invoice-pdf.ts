import { createRequire } from 'node:module';
import { buffer } from 'node:stream/consumers';
import PDFDocument from 'pdfkit';
import { formatMoney } from '../format.js';
import { totalCents, type Order } from '../orders/order.entity.js';

const require = createRequire(import.meta.url);
const REGULAR = require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
const BOLD = require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf');

const COLUMNS = { position: 56, product: 86, quantity: 330, price: 385, amount: 465 } as const;
const RIGHT = 539;
const BOTTOM = 760;

/** Draws an invoice on as many A4 pages as it takes. */
export async function renderInvoice(order: Order): Promise<Buffer> {
  const info = {
    Title: `Invoice ${order.number}`,
    Author: 'Quill & Bone, stationers',
    CreationDate: order.placedAt,
  };
  const doc = new PDFDocument({ size: 'A4', margin: 56, info });
  const content = buffer(doc);
  drawHead(doc, order);
  drawTableHead(doc);
  for (const line of order.lines) drawLine(doc, line);
  drawTotal(doc, order);
  doc.end();
  return content;
}

type Doc = InstanceType<typeof PDFDocument>;

function drawHead(doc: Doc, order: Order): void {
  doc.font(BOLD).fontSize(16).text('Quill & Bone, stationers');
  doc.font(REGULAR).fontSize(9).fillColor('#555').text('Invoice by mail, never lost').fillColor('black');
  doc.moveDown(2).fontSize(10);
  for (const text of [order.customer, order.street, `${order.city}, ${order.country}`, order.email]) {
    doc.text(printable(text), { width: 300 });
  }
  doc.moveDown(2).font(BOLD).fontSize(13).text(`Invoice ${order.number}`);
  doc
    .font(REGULAR)
    .fontSize(9)
    .text(`Ordered on ${order.placedAt.toISOString().slice(0, 10)}`);
  doc.moveDown(1.5);
}

function drawTableHead(doc: Doc): void {
  const y = doc.y;
  doc.font(BOLD).fontSize(9);
  doc.text('#', COLUMNS.position, y).text('Product', COLUMNS.product, y);
  drawRight(doc, 'Quantity', COLUMNS.quantity, y, 45);
  drawRight(doc, 'Price', COLUMNS.price, y, 70);
  drawRight(doc, 'Amount', COLUMNS.amount, y, RIGHT - COLUMNS.amount);
  doc.font(REGULAR);
  drawRule(doc, y + 14);
}

function drawLine(doc: Doc, line: Order['lines'][number]): void {
  const text = printable(`${line.product} (${line.sku})`);
  const width = COLUMNS.quantity - COLUMNS.product - 10;
  if (doc.y + doc.heightOfString(text, { width }) > BOTTOM) {
    doc.addPage();
    drawTableHead(doc);
  }
  const y = doc.y;
  drawRight(doc, String(line.quantity), COLUMNS.quantity, y, 45);
  drawRight(doc, formatMoney(line.unitPriceCents), COLUMNS.price, y, 70);
  drawRight(doc, formatMoney(line.quantity * line.unitPriceCents), COLUMNS.amount, y, RIGHT - COLUMNS.amount);
  doc.text(String(line.position), COLUMNS.position, y);
  doc.text(text, COLUMNS.product, y, { width });
  doc.moveDown(0.3);
}

function drawTotal(doc: Doc, order: Order): void {
  if (order.lines.length === 0) doc.text('This order has no lines.', COLUMNS.product, doc.y);
  drawRule(doc, doc.y + 4);
  const y = doc.y;
  doc.font(BOLD).text('Total', COLUMNS.product, y);
  drawRight(doc, formatMoney(totalCents(order)), COLUMNS.price, y, RIGHT - COLUMNS.price);
}

function drawRight(doc: Doc, text: string, x: number, y: number, width: number): void {
  doc.text(text, x, y, { width, align: 'right' });
}

function drawRule(doc: Doc, y: number): void {
  doc.moveTo(COLUMNS.position, y).lineTo(RIGHT, y).lineWidth(0.5).stroke();
  doc.x = COLUMNS.position;
  doc.y = y + 6;
}

/**
 * Replaces what the font cannot draw with a box. The font has Latin, Greek, Cyrillic, Hebrew and Arabic letters and
 * many symbols. It has no Chinese, Japanese, Korean or Devanagari characters and no emoji.
 */
function printable(text: string): string {
  return text
    .normalize('NFC')
    .replace(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Devanagari}]/gu,
      '□',
    )
    .replace(/\p{Extended_Pictographic}(?:\u200d?\p{Extended_Pictographic}|\ufe0f)*/gu, '□')
    .replace(/\s+/g, ' ');
}
