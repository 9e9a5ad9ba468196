import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  /** Makes the input; `id` and `describedBy` tie it to its label and hint. */
  readonly children: (id: string, describedBy: string | undefined) => ComponentChildren;
}

/** A label, an input, and a hint. */
export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id, hintId)}
      {hint !== undefined && (
        <p id={hintId} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface InputProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly type?: 'text' | 'number' | 'datetime-local';
  readonly isRequired?: boolean;
  readonly placeholder?: string;
}

export function Input({
  label,
  hint,
  value,
  onValue,
  type = 'text',
  isRequired = false,
  placeholder,
}: InputProps) {
  return (
    <Field label={label} hint={hint}>
      {(id, describedBy) => (
        <input
          id={id}
          aria-describedby={describedBy}
          // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-assertion -- preact takes one type at a time
          type={type as 'text'}
          value={value}
          step={type === 'text' ? undefined : 1}
          required={isRequired}
          placeholder={placeholder}
          autocomplete="off"
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** Several lines of JSON. */
export function JsonInput({ label, hint, value, onValue }: Omit<InputProps, 'type'>) {
  return (
    <Field label={label} hint={hint}>
      {(id, describedBy) => (
        <textarea
          id={id}
          aria-describedby={describedBy}
          class="mono"
          rows={10}
          spellcheck={false}
          value={value}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface ChoiceProps extends Omit<InputProps, 'type' | 'placeholder'> {
  readonly options: readonly (readonly [value: string, label: string])[];
}

export function Choice({ label, hint, value, onValue, options, isRequired = false }: ChoiceProps) {
  return (
    <Field label={label} hint={hint}>
      {(id, describedBy) => (
        <select
          id={id}
          aria-describedby={describedBy}
          value={value}
          required={isRequired}
          onChange={(event) => onValue(event.currentTarget.value)}
        >
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
