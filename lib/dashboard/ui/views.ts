import type { ComponentType } from 'preact';
import type { ScreenProps } from './page/screen-props.js';
import { Audit } from './screens/audit.js';
import { Errors } from './screens/errors.js';
import { JobDetails } from './screens/job.js';
import { Jobs } from './screens/jobs.js';
import { Kinds } from './screens/kinds.js';
import { NewJob } from './screens/new-job.js';
import { Overview } from './screens/overview.js';
import { Schedules } from './screens/schedules.js';
import { Workers } from './screens/workers.js';

export interface View {
  /** In the address, as `view`. */
  readonly name: string;
  /** In the menu; null where it is not there. */
  readonly label: string | null;
  readonly screen: ComponentType<ScreenProps>;
}

export const VIEWS: readonly View[] = [
  { name: 'overview', label: 'Overview', screen: Overview },
  { name: 'jobs', label: 'Jobs', screen: Jobs },
  { name: 'errors', label: 'Errors', screen: Errors },
  { name: 'kinds', label: 'Kinds', screen: Kinds },
  { name: 'schedules', label: 'Schedules', screen: Schedules },
  { name: 'workers', label: 'Workers', screen: Workers },
  { name: 'audit', label: 'Audit', screen: Audit },
  { name: 'job', label: null, screen: JobDetails },
  { name: 'new-job', label: null, screen: NewJob },
];

/** The view of an address; the overview where it names none. */
export function viewOf(query: URLSearchParams): View {
  return VIEWS.find(({ name }) => name === query.get('view')) ?? VIEWS[0]!;
}
