import { defineJob, type } from 'nestjs-typeorm-jobs';

/** Reads the price list. It can run twice: a product that is there already gets its new price. */
export const ImportProducts = defineJob('products.import', {
  returns: type<{ products: number; changed: number }>(),
  maxAttempts: 3,
});
