import type { Problem } from '../../api/screens.js';
import { count, plural } from '../text/numbers.js';
import { useFold } from './fold.js';
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
  return <Problems problems={problems} />;
}

/** The worst of them: the figures below must be seen as well. */
const MOST = 6;

function Problems({ problems }: { readonly problems: readonly Problem[] }) {
  const { shown, hidden, unfold } = useFold(problems, MOST);
  return (
    <section class="problem-list" aria-label={plural(problems.length, 'problem')}>
      <h2>Needs your attention</h2>
      <ul>
        {shown.map(({ code, severity, text, query }) => (
          <li key={`${code} ${query}`} class={`notice-${severity}`}>
            <Icon name="warning" />
            <Link search={query}>
              <span class="visually-hidden">{severity}: </span>
              <Text text={text} />
            </Link>
          </li>
        ))}
      </ul>
      {hidden > 0 && (
        <button type="button" class="more" onClick={unfold}>
          Show {count(hidden)} more
        </button>
      )}
    </section>
  );
}
