import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** An invoice that has been rendered. */
@Entity('shop_invoices')
export class Invoice {
  @PrimaryColumn({ length: 36 })
  orderId!: string;

  @Column({ length: 100 })
  file!: string;

  @Column()
  bytes!: number;

  @CreateDateColumn()
  renderedAt!: Date;
}
