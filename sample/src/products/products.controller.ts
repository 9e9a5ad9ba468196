import { Controller, Post, Redirect } from '@nestjs/common';
import { ProductsService } from './products.service.js';

@Controller('products')
export class ProductsController {
  constructor(private readonly products: ProductsService) {}

  /** The button of the home page. It leads back to it. */
  @Post('import')
  @Redirect('/', 303)
  async import(): Promise<void> {
    await this.products.importLater();
  }
}
