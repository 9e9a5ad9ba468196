import { acknowledgedJobsEnd } from './invariants/i01-acknowledged-jobs-end.js';
import { rowsWereEnqueued } from './invariants/i02-rows-were-enqueued.js';
import { oneTerminalTransition } from './invariants/i03-one-terminal-transition.js';
import { tokensRise } from './invariants/i04-tokens-rise.js';
import { attemptsDoNotOverlap } from './invariants/i05-attempts-do-not-overlap.js';
import { crashesAreCounted } from './invariants/i06-crashes-are-counted.js';
import { resultIsOfTheSettlingAttempt } from './invariants/i07-result-is-of-the-settling-attempt.js';
import { leasesAreTakenBack } from './invariants/i08-leases-are-taken-back.js';
import { nothingStartsEarly } from './invariants/i09-nothing-starts-early.js';
import { processesStayWell } from './invariants/i10-processes-stay-well.js';
import { untouchedJobsNeedOneAttempt } from './invariants/i11-untouched-jobs-need-one-attempt.js';
import { noDeadlocks } from './invariants/i12-no-deadlocks.js';
import { ticksHaveOneJob } from './invariants/i13-ticks-have-one-job.js';
import { keysHaveOneJob } from './invariants/i14-keys-have-one-job.js';
import { cancelledJobsSaySo } from './invariants/i15-cancelled-jobs-say-so.js';
import { updatesAreSeenWhole } from './invariants/i16-updates-are-seen-whole.js';
import { nothingStartsUnderAPause } from './invariants/i17-nothing-starts-under-a-pause.js';
import { historiesHaveAllAttempts } from './invariants/i18-histories-have-all-attempts.js';
import type { Violation } from './records.js';
import type { Timelines } from './timeline.js';

/** Checks a history against all invariants. */
export function check(times: Timelines): Violation[] {
  return [
    acknowledgedJobsEnd,
    rowsWereEnqueued,
    oneTerminalTransition,
    tokensRise,
    attemptsDoNotOverlap,
    crashesAreCounted,
    resultIsOfTheSettlingAttempt,
    leasesAreTakenBack,
    nothingStartsEarly,
    processesStayWell,
    untouchedJobsNeedOneAttempt,
    noDeadlocks,
    ticksHaveOneJob,
    keysHaveOneJob,
    cancelledJobsSaySo,
    updatesAreSeenWhole,
    nothingStartsUnderAPause,
    historiesHaveAllAttempts,
  ].flatMap((invariant) => invariant(times));
}
