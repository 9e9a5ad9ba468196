import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** A reminder that was sent. */
@Entity('shop_reminders')
export class Reminder {
  /** The job that sent it. */
  @PrimaryColumn({ length: 255 })
  jobId!: string;

  @Column({ length: 36 })
  orderId!: string;

  @Column({ length: 20 })
  orderNumber!: string;

  /** How often the order had been changed by then. */
  @Column()
  changes!: number;

  @CreateDateColumn()
  sentAt!: Date;
}
