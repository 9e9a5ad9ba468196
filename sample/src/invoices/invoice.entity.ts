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

  /** The report that it is in; null until there is one. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  reportId!: string | null;

  @CreateDateColumn()
  renderedAt!: Date;
}
