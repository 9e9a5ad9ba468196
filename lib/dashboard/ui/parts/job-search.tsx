import { useRef, useState } from 'preact/hooks';
import { currentQuery, navigate } from '../page/location.js';
import { useShortcuts } from '../page/shortcuts.js';
import {
  conditionsOf,
  parseSearch,
  withCondition,
  withoutCondition,
  type Condition,
} from '../text/job-query.js';
import { instant } from '../text/times.js';
import { visible } from '../text/visible-text.js';
import { Icon } from './icon.js';
import { JobTimes } from './job-times.js';
import { Link } from './link.js';
import { Text } from './text.js';

interface JobSearchProps {
  readonly query: URLSearchParams;
  readonly kinds: readonly string[];
}

/** The conditions of the list: what is typed becomes a part of the address, and can be taken away again. */
export function JobSearch({ query, kinds }: JobSearchProps) {
  const [text, setText] = useState('');
  const search = (event: SubmitEvent) => {
    event.preventDefault();
    const next = parseSearch(text, kinds).reduce(
      (current, condition) => new URLSearchParams(withCondition(current, condition)),
      currentQuery(),
    );
    navigate(next.toString());
    setText('');
  };
  return (
    <div class="job-search">
      <div class="search-row">
        <form role="search" onSubmit={search}>
          <SearchInput text={text} kinds={kinds} onText={setText} />
          <button type="submit">Search</button>
        </form>
        <JobTimes query={query} />
      </div>
      <p id="search-hint" class="hint">
        Also <code>kind:</code> <code>tag:</code> <code>key:</code> <code>schedule:</code> <code>error:</code>{' '}
        <code>payload:order.id=4711</code>
      </p>
      <Conditions query={query} />
    </div>
  );
}

interface SearchInputProps {
  readonly text: string;
  readonly kinds: readonly string[];
  readonly onText: (text: string) => void;
}

/** Has the focus after `/`, and offers the known kinds. */
function SearchInput({ text, kinds, onText }: SearchInputProps) {
  const input = useRef<HTMLInputElement>(null);
  useShortcuts({
    '/': (event) => {
      event.preventDefault();
      input.current?.focus();
    },
  });
  return (
    <>
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        list="kinds"
        aria-label="Search for jobs"
        aria-describedby="search-hint"
        placeholder="Kind, id, or text of the error"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <datalist id="kinds">
        {kinds.map((kind) => (
          <option key={kind} value={kind} />
        ))}
      </datalist>
      <kbd aria-hidden="true">/</kbd>
    </>
  );
}

function Conditions({ query }: { readonly query: URLSearchParams }) {
  const conditions = conditionsOf(query);
  if (conditions.length === 0) return null;
  return (
    <ul class="chips" aria-label="Conditions">
      {conditions.map((condition) => (
        <li key={`${condition.name} ${condition.value}`} class="chip">
          <span>
            <span class="muted">{nameOf(condition)}</span> <Text text={valueOf(condition)} />
          </span>
          <Link search={withoutCondition(query, condition)} title="Take this condition away">
            <span class="visually-hidden">
              Without {nameOf(condition)} {visible(valueOf(condition))}
            </span>
            <Icon name="close" />
          </Link>
        </li>
      ))}
    </ul>
  );
}

function nameOf({ name }: Condition): string {
  return name.replace(/(After|Before)$/, (side) => ` ${side.toLowerCase()}`);
}

function valueOf({ name, value }: Condition): string {
  return /(After|Before)$/.test(name) ? instant(Number(value)) : value;
}
