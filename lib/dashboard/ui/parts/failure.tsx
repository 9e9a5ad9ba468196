import { messageOf, RefusedError } from '../page/server.js';
import { Empty } from './empty.js';
import { Link } from './link.js';
import { Text } from './text.js';

interface FailureProps {
  readonly error: unknown;
  /** Whether data of before are still shown. */
  readonly hasData: boolean;
  readonly onRetry: () => void;
}

/** Says why a screen has no data, or no new ones, and what to do. */
export function Failure({ error, hasData, onRetry }: FailureProps) {
  const code = error instanceof RefusedError ? error.code : 'unknown';
  if (code === 'not-found' && !hasData) return <NotFound error={error} />;
  const isSignedOut = code === 'signed-out';
  return (
    <div class={hasData ? 'failure failure-slim' : 'failure'} role="alert">
      <p>
        <strong>{hasData ? 'What you see is not up to date.' : 'This screen has no data.'}</strong>{' '}
        <Text text={messageOf(error)} /> {isSignedOut ? '' : 'The page asks again every 5 seconds.'}
      </p>
      <button type="button" onClick={isSignedOut ? () => location.reload() : onRetry}>
        {isSignedOut ? 'Load the page again' : 'Try now'}
      </button>
    </div>
  );
}

function NotFound({ error }: Pick<FailureProps, 'error'>) {
  return (
    <Empty title="It is not here">
      <p>
        <Text text={messageOf(error)} />
      </p>
      <Link search="view=jobs">Show all jobs</Link>
    </Empty>
  );
}
