import { useState } from 'preact/hooks';
import type { Form } from '../../api/screens.js';
import { currentQuery, navigate } from '../page/location.js';
import { usePolled } from '../page/polled.js';
import type { ScreenProps } from '../page/screen-props.js';
import { mayAct } from '../page/session.js';
import { Empty } from '../parts/empty.js';
import { Field } from '../parts/field.js';
import { NewJobForm } from '../parts/new-job-form.js';
import { Screen } from '../parts/screen.js';

/** A job that is made by hand: its kind, then what that kind takes. */
export function NewJob({ query }: ScreenProps) {
  const kind = query.get('kind') ?? '';
  const search = kind === '' ? '' : `?${new URLSearchParams({ kind }).toString()}`;
  const polled = usePolled<Form>(`api/form${search}`, { isOnce: true });
  return (
    <Screen title="New job" polled={polled}>
      {(form) =>
        mayAct ? (
          <div class="new-job">
            <KindChoice kinds={form.kinds} kind={kind} />
            {kind !== '' && !polled.isOld && <NewJobForm key={kind} kind={kind} schema={form.schema} />}
          </div>
        ) : (
          <Empty title="You may look, but not act">
            <p>Ask for the role that may act on jobs.</p>
          </Empty>
        )
      }
    </Screen>
  );
}

interface KindChoiceProps {
  readonly kinds: readonly string[];
  readonly kind: string;
}

/** The kind is a part of the address: a form can be linked to. */
function KindChoice({ kinds, kind }: KindChoiceProps) {
  const [text, setText] = useState(kind);
  const choose = (chosen: string) => {
    const query = currentQuery();
    if (chosen.trim() === '') query.delete('kind');
    else query.set('kind', chosen.trim());
    navigate(query.toString(), { replace: true });
  };
  return (
    <Field label="Kind" hint="One that this process serves, or any other.">
      {(id, describedBy) => (
        <>
          <input
            id={id}
            aria-describedby={describedBy}
            list="served-kinds"
            autocomplete="off"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            onChange={(event) => choose(event.currentTarget.value)}
          />
          <datalist id="served-kinds">
            {kinds.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}
