import type { ComponentChildren } from 'preact';
import { hrefOf, navigate } from '../page/location.js';

export interface LinkProps {
  /** The query of the view, e.g. `view=jobs&state=failed`. */
  readonly search: string;
  readonly class?: string;
  readonly title?: string;
  readonly isCurrent?: boolean;
  readonly children: ComponentChildren;
}

/** A link to a view of the page. It can be opened in a new tab like any other. */
export function Link({ search, class: className, title, isCurrent = false, children }: LinkProps) {
  const go = (event: MouseEvent) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(search);
  };
  return (
    <a
      href={hrefOf(search)}
      class={className}
      title={title}
      aria-current={isCurrent ? 'page' : undefined}
      onClick={go}
    >
      {children}
    </a>
  );
}

/** The view of one job. */
export function jobSearch(id: string): string {
  return new URLSearchParams({ view: 'job', id }).toString();
}

/** The view of the jobs that fulfil conditions. */
export function jobsSearch(conditions: Readonly<Record<string, string | readonly string[]>>): string {
  const query = new URLSearchParams({ view: 'jobs' });
  for (const [name, values] of Object.entries(conditions))
    for (const value of [values].flat()) query.append(name, value);
  return query.toString();
}
