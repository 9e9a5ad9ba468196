import type { Problem } from '../../api/screens.js';
import { plural } from '../text/numbers.js';
import { Icon } from './icon.js';
import { Link } from './link.js';
import { Text } from './text.js';

/** What somebody should look at, with a link to the cause. */
export function ProblemList({ problems }: { readonly problems: readonly Problem[] }) {
  if (problems.length === 0)
    return (
      <p class="all-well">
        <span class="badge tone-good">Nothing needs your attention.</span>
      </p>
    );
  return (
    <section class="problem-list" aria-label={plural(problems.length, 'problem')}>
      <h2>Needs your attention</h2>
      <ul>
        {problems.map(({ code, severity, text, query }) => (
          <li key={`${code} ${query}`} class={`notice-${severity}`}>
            <Icon name="warning" />
            <Link search={query}>
              <span class="visually-hidden">{severity}: </span>
              <Text text={text} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
