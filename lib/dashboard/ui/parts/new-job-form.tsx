import { useState } from 'preact/hooks';
import type { Actions } from '../../api/actions.js';
import { navigate } from '../page/location.js';
import { act, messageOf } from '../page/server.js';
import { showToast } from '../page/toasts.js';
import { fieldsOf, payloadOf, type Field as SchemaField } from '../text/schema-form.js';
import { tagsOf } from '../text/tags.js';
import { Input, JsonInput } from './field.js';
import { jobSearch } from './link.js';
import { SchemaInput } from './schema-input.js';
import { VIEWERS_ZONE } from './time.js';
import { ProblemText } from './problem-text.js';

interface NewJobFormProps {
  readonly kind: string;
  /** JSON Schema; null where it is not known. */
  readonly schema: unknown;
}

interface Settings {
  readonly runAt: string;
  readonly priority: string;
  readonly maxAttempts: string;
  readonly tags: string;
}

const NO_SETTINGS: Settings = { runAt: '', priority: '', maxAttempts: '', tags: '' };

/** The payload, by fields or as JSON, and the settings of a new job. */
export function NewJobForm({ kind, schema }: NewJobFormProps) {
  const [fields] = useState(() => fieldsOf(schema));
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [json, setJson] = useState<string | null>(fields === null ? '{}' : null);
  const [settings, setSettings] = useState(NO_SETTINGS);
  const [problem, setProblem] = useState<string | null>(null);

  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    setProblem(null);
    try {
      const payload = json ?? JSON.stringify(payloadOf(fields ?? [], values));
      const { id } = await act('enqueue', { kind, payload, ...chosen(settings) });
      showToast({ tone: 'done', text: 'The job was enqueued. This is it.' });
      navigate(jobSearch(id));
    } catch (error) {
      setProblem(messageOf(error));
    }
  };

  return (
    <form onSubmit={(event) => void send(event)}>
      <fieldset>
        <legend>Payload</legend>
        {json === null ? (
          <Fields fields={fields ?? []} values={values} onValues={setValues} />
        ) : (
          <JsonInput label="JSON" value={json} onValue={setJson} />
        )}
        {json === null && (
          <button type="button" onClick={() => setJson(asJson(fields ?? [], values))}>
            Write it as JSON
          </button>
        )}
      </fieldset>
      <SettingsFields settings={settings} onSettings={setSettings} />
      <ProblemText text={problem} />
      <button type="submit" class="primary">
        Enqueue
      </button>
    </form>
  );
}

interface FieldsProps {
  readonly fields: readonly SchemaField[];
  readonly values: Readonly<Record<string, string>>;
  readonly onValues: (values: Readonly<Record<string, string>>) => void;
}

function Fields({ fields, values, onValues }: FieldsProps) {
  if (fields.length === 0) return <p class="muted">This kind takes an empty object.</p>;
  return (
    <>
      {fields.map((field) => (
        <SchemaInput
          key={field.label}
          field={field}
          value={values[field.label] ?? field.initial}
          onValue={(value) => onValues({ ...values, [field.label]: value })}
        />
      ))}
    </>
  );
}

interface SettingsFieldsProps {
  readonly settings: Settings;
  readonly onSettings: (settings: Settings) => void;
}

function SettingsFields({ settings, onSettings }: SettingsFieldsProps) {
  const set = (name: keyof Settings) => (value: string) => onSettings({ ...settings, [name]: value });
  return (
    <fieldset>
      <legend>Settings</legend>
      <p class="hint">What is left empty is as the handler sets it.</p>
      <div class="fields">
        <Input
          label="Not before"
          type="datetime-local"
          hint={`In ${VIEWERS_ZONE}.`}
          value={settings.runAt}
          onValue={set('runAt')}
        />
        <Input
          label="Priority"
          type="number"
          hint="Lower runs first."
          value={settings.priority}
          onValue={set('priority')}
        />
        <Input
          label="Attempts at most"
          type="number"
          value={settings.maxAttempts}
          onValue={set('maxAttempts')}
        />
        <Input label="Tags" hint="Separated by commas." value={settings.tags} onValue={set('tags')} />
      </div>
    </fieldset>
  );
}

/** Only what was filled in. */
function chosen({
  runAt,
  priority,
  maxAttempts,
  tags,
}: Settings): Omit<Actions['enqueue'][0], 'kind' | 'payload'> {
  return {
    ...(runAt === '' ? {} : { runAt: new Date(runAt).getTime() }),
    ...(priority === '' ? {} : { priority: Number(priority) }),
    ...(maxAttempts === '' ? {} : { maxAttempts: Number(maxAttempts) }),
    ...(tags.trim() === '' ? {} : { tags: tagsOf(tags) }),
  };
}

/** What the fields hold so far, to go on with by hand. */
function asJson(fields: readonly SchemaField[], values: Readonly<Record<string, string>>): string {
  try {
    return JSON.stringify(payloadOf(fields, values), null, 2);
  } catch {
    return '{}';
  }
}
