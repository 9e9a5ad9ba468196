import { segmentsOf, visible } from '../text/visible-text.js';

/** Text of a job, a schedule or a worker: never markup, its direction kept to itself, and nothing in it unseen. */
export function Text({ text, class: className }: { readonly text: string; readonly class?: string }) {
  return (
    <bdi class={className}>
      {segmentsOf(text).map((segment) =>
        segment.isMark ? (
          <span class="mark" title="A character that would not be seen">
            {segment.text}
          </span>
        ) : (
          segment.text
        ),
      )}
    </bdi>
  );
}

/** One line, cut off at the width that there is; whole when pointed at. */
export function Line({ text, class: className = '' }: { readonly text: string; readonly class?: string }) {
  return (
    <span class={`line ${className}`} title={visible(text)}>
      <Text text={text} />
    </span>
  );
}

/** A name in a list, cut off after three lines: those of tenants and the like often differ at their ends alone. */
export function NameText({ text }: { readonly text: string }) {
  return <Line text={text} class="name" />;
}

/** The end of an id, in which ids made at the same time differ. */
export function ShortId({ id }: { readonly id: string }) {
  return (
    <span class="mono short-id" title={visible(id)}>
      {id.length > 14 ? `…${visible(id.slice(-12))}` : visible(id)}
    </span>
  );
}
