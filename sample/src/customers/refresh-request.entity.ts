import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** An enqueue of a refresh, and what it did. */
@Entity('shop_refresh_requests')
export class RefreshRequest {
  @PrimaryGeneratedColumn()
  id!: number;

  @Index()
  @Column({ length: 254 })
  customer!: string;

  /** The job that it made, or joined. */
  @Column({ length: 255 })
  jobId!: string;

  @Column()
  joined!: boolean;
}
