import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** What was invoiced to customers of one country. */
export interface ReportLine {
  readonly country: string;
  readonly invoices: number;
  readonly totalCents: number;
}

/** A report of all invoices that were rendered since the one before. */
@Entity('shop_reports')
export class Report {
  /** The job that made it. */
  @PrimaryColumn({ length: 255 })
  jobId!: string;

  /** The instant that it was made for: 3 o'clock, or when somebody asked for it. */
  @Column()
  madeFor!: Date;

  @Column()
  invoices!: number;

  @Column()
  totalCents!: number;

  /** The highest total first. */
  @Column('simple-json')
  lines!: ReportLine[];

  @CreateDateColumn()
  createdAt!: Date;
}
