import { compareIds } from '../../job/id-order.js';
import type { Form } from '../api/screens.js';
import type { JobsSources } from '../jobs-sources.js';

/** GET api/form */
export function formScreen({ forms }: JobsSources, query: URLSearchParams): Form {
  const kind = query.get('kind');
  const form = kind === null ? 'none' : forms.of(kind);
  return {
    kinds: forms.kinds.toSorted(compareIds),
    schema: typeof form === 'object' ? form.schema : null,
  };
}
