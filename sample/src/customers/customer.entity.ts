import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a customer has ordered, as of its latest refresh. */
@Entity('shop_customers')
export class Customer {
  @PrimaryColumn({ length: 254 })
  email!: string;

  /** Those that were cancelled are not counted. */
  @Column({ default: 0 })
  orders!: number;

  @Column({ type: 'double precision', default: 0 }) // a whole number, which may be larger than an integer column can hold
  totalCents!: number;

  /** How many refreshes have run. */
  @Column({ default: 0 })
  refreshes!: number;

  @Column()
  refreshedAt!: Date;
}
