import { access, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS } from '../settings.token.js';
import type { Settings } from '../settings.js';

/** Stores the PDF files. */
@Injectable()
export class InvoiceFiles {
  readonly folder: string;

  constructor(@Inject(SETTINGS) { dataDir }: Settings) {
    this.folder = join(dataDir, 'invoices');
  }

  pathOf(orderNumber: string): string {
    return join(this.folder, `${orderNumber}.pdf`);
  }

  exists(orderNumber: string): Promise<boolean> {
    return access(this.pathOf(orderNumber)).then(
      () => true,
      () => false,
    );
  }

  /** Writes the whole file or nothing, even if two attempts write it at once. */
  async write(orderNumber: string, content: Uint8Array, attempt: string): Promise<string> {
    await mkdir(this.folder, { recursive: true });
    const path = this.pathOf(orderNumber);
    await writeFile(`${path}.${attempt}`, content);
    await rename(`${path}.${attempt}`, path);
    return path;
  }
}
