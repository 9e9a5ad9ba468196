import { Text } from './text.js';

/** Why something was not done; nothing where there is no problem. It is read out when it appears. */
export function ProblemText({ text }: { readonly text: string | null }) {
  if (text === null) return null;
  return (
    <p class="problem" role="alert">
      <Text text={text} />
    </p>
  );
}
