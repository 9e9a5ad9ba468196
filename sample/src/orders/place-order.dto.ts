import { Transform, Type } from 'class-transformer';
import {
  IsArray,
  IsEmail,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';

const Trimmed = () =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));

export class PlaceOrderLineDto {
  @IsString()
  @Length(1, 30)
  sku!: string;

  @IsString()
  @Length(1, 200)
  product!: string;

  @IsInt()
  @Min(1)
  @Max(100_000)
  quantity!: number;

  @IsInt()
  @Min(0)
  @Max(10_000_000)
  unitPriceCents!: number;
}

/** The body of `POST /orders`. */
export class PlaceOrderDto {
  @Trimmed()
  @IsString()
  @Length(1, 300)
  customer!: string;

  @Trimmed()
  @IsEmail()
  email!: string;

  @Trimmed()
  @IsString()
  @Length(1, 200)
  street!: string;

  @Trimmed()
  @IsString()
  @Length(1, 100)
  city!: string;

  @Matches(/^[A-Z]{2}$/, { message: 'country must be two capital letters' })
  country!: string;

  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => PlaceOrderLineDto)
  lines!: PlaceOrderLineDto[];
}
