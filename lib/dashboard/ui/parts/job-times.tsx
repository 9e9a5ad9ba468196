import { useState } from 'preact/hooks';
import { navigate } from '../page/location.js';
import { TIME_NAMES, withValues, type TimeName } from '../text/job-query.js';
import { inputValue } from '../text/times.js';
import { Choice, Input } from './field.js';
import { FormDialog } from './form-dialog.js';
import { VIEWERS_ZONE } from './time.js';

const LABELS: Readonly<Record<TimeName, string>> = {
  created: 'It was created',
  run: 'It is to run',
  updated: 'It last changed',
};

/** Bounds the list to a span of time. */
export function JobTimes({ query }: { readonly query: URLSearchParams }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Time…
      </button>
      {isOpen && <TimesDialog query={query} onClose={() => setOpen(false)} />}
    </>
  );
}

interface TimesDialogProps {
  readonly query: URLSearchParams;
  readonly onClose: () => void;
}

function TimesDialog({ query, onClose }: TimesDialogProps) {
  const [name, setName] = useState<TimeName>(
    () => TIME_NAMES.find((time) => isBound(query, time)) ?? 'created',
  );
  const [from, setFrom] = useState(() => shown(query.get(`${name}After`)));
  const [to, setTo] = useState(() => shown(query.get(`${name}Before`)));
  const submit = async () => {
    navigate(
      withValues(query, { [`${name}After`]: milliseconds(from), [`${name}Before`]: milliseconds(to) }),
    );
    return Promise.resolve();
  };
  return (
    <FormDialog title="Jobs of a span of time" submit="Show" onSubmit={submit} onClose={onClose}>
      <Choice
        label="When"
        value={name}
        onValue={(value) => setName(value as TimeName)}
        options={TIME_NAMES.map((time) => [time, LABELS[time]])}
      />
      <Input
        label="After"
        type="datetime-local"
        value={from}
        onValue={setFrom}
        hint={`In ${VIEWERS_ZONE}.`}
      />
      <Input label="Before" type="datetime-local" value={to} onValue={setTo} />
    </FormDialog>
  );
}

function isBound(query: URLSearchParams, time: TimeName): boolean {
  return query.has(`${time}After`) || query.has(`${time}Before`);
}

function shown(at: string | null): string {
  return at === null ? '' : inputValue(Number(at));
}

function milliseconds(value: string): string | null {
  return value === '' ? null : String(new Date(value).getTime());
}
