import type { Field } from '../text/schema-form.js';
import { Choice, Input } from './field.js';

interface SchemaInputProps {
  readonly field: Field;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

const HINTS: Readonly<Partial<Record<Field['type'], string>>> = {
  integer: 'A whole number.',
  number: 'A number.',
  json: 'JSON.',
};

/** The input of one field of a payload. */
export function SchemaInput({ field, value, onValue }: SchemaInputProps) {
  const { type, label, isRequired, description, choices } = field;
  const hint = description ?? HINTS[type];
  const shared = { label: isRequired ? label : `${label} (optional)`, hint, value, onValue, isRequired };
  if (type === 'flag') return <Choice {...shared} options={withNone(['true', 'false'])} />;
  if (type === 'choice') return <Choice {...shared} options={withNone(choices)} />;
  return <Input {...shared} />;
}

function withNone(choices: readonly string[]): readonly (readonly [string, string])[] {
  return [['', '–'], ...choices.map((choice) => [choice, choice.replace(/^"(.*)"$/, '$1')] as const)];
}
