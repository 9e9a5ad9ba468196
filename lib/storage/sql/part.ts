/** A part of a statement, with a place for each of its parameters, in their order. */
export interface Part {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/** Makes a parameter. @param type what PostgreSQL is to take it for; other databases need not be told */
export type Bind = (value: unknown, type: string) => Part;

/** Puts a part together from texts and from other parts, whose parameters it takes over. */
export function part(texts: TemplateStringsArray, ...inserted: readonly (string | number | Part)[]): Part {
  const parts = inserted.map((one) =>
    typeof one === 'object' ? one : { text: String(one), parameters: [] },
  );
  return {
    text: texts.map((text, index) => text + (parts[index]?.text ?? '')).join(''),
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}

/** A parameter of a database that marks its place by `?`, and need not be told of its type. */
export function given(value: unknown): Part {
  return { text: '?', parameters: [value] };
}

/** @param between stands between one part and the next */
export function joined(parts: readonly Part[], between: string): Part {
  return {
    text: parts.map(({ text }) => text).join(between),
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}
