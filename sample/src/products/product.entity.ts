import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What the shop sells, and for how much. */
@Entity('shop_products')
export class Product {
  @PrimaryColumn({ length: 40 })
  sku!: string;

  @Column()
  name!: string;

  @Column()
  unitPriceCents!: number;
}
