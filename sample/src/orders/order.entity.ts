import { Column, Entity, Index, ManyToOne, OneToMany, PrimaryGeneratedColumn, type Relation } from 'typeorm';

@Entity('shop_orders')
export class Order {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  /** The number that the customer sees, such as S-00042. */
  @Column({ length: 20, unique: true })
  number!: string;

  @Column({ length: 300 })
  customer!: string;

  @Index()
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

  @Column({ type: Date, nullable: true })
  paidAt!: Date | null;

  @Column({ type: Date, nullable: true })
  cancelledAt!: Date | null;

  @Column({ default: false })
  giftWrapped!: boolean;

  /** How often it was changed since it was placed. */
  @Column({ default: 0 })
  changes!: number;

  /** The job of its latest reminder; null until there is one. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  reminderId!: string | null;

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

/** Whether its customer has still to pay it. */
export function isUnpaid({ paidAt, cancelledAt }: Order): boolean {
  return paidAt === null && cancelledAt === null;
}

export function totalCents(order: Order): number {
  return order.lines.reduce((sum, line) => sum + line.quantity * line.unitPriceCents, 0);
}
