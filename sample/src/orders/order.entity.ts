import { Column, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn, type Relation } from 'typeorm';

@Entity('shop_orders')
export class Order {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  /** The number that the customer sees, such as S-00042. */
  @Column({ length: 20, unique: true })
  number!: string;

  @Column({ length: 300 })
  customer!: string;

  @Column({ length: 254 })
  email!: string;

  @Column({ length: 200 })
  street!: string;

  @Column({ length: 100 })
  city!: string;

  @Column({ length: 2 })
  country!: string;

  @Column()
  placedAt!: Date;

  @OneToMany(() => OrderLine, (line) => line.order, { cascade: ['insert'] })
  lines!: OrderLine[];
}

@Entity('shop_order_lines')
export class OrderLine {
  @PrimaryGeneratedColumn()
  id!: number;

  @ManyToOne(() => Order, (order) => order.lines, { onDelete: 'CASCADE', nullable: false })
  order!: Relation<Order>;

  /** Its position on the order, starting at 1. */
  @Column()
  position!: number;

  @Column({ length: 30 })
  sku!: string;

  @Column({ length: 200 })
  product!: string;

  @Column()
  quantity!: number;

  @Column()
  unitPriceCents!: number;
}

export function totalCents(order: Order): number {
  return order.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceCents, 0);
}
