import { ballast } from './scenarios/ballast.mjs';
import { beside, notes } from './scenarios/beside.mjs';
import { bloat } from './scenarios/bloat.mjs';
import { drainByOne, drainByTwo } from './scenarios/drain.mjs';
import { due } from './scenarios/due.mjs';
import {
  enqueueInTransaction,
  enqueueMany,
  enqueueOne,
  enqueueSixteen,
  enqueueSixtyFour,
} from './scenarios/enqueue.mjs';
import { idle } from './scenarios/idle.mjs';
import { latencyAcross, latencyWithin } from './scenarios/latency.mjs';
import { look } from './scenarios/look.mjs';
import { cycles, prune } from './scenarios/prune.mjs';
import { screens } from './scenarios/screens.mjs';
import { fairShare, slowHandler } from './scenarios/slow.mjs';

/** The scenarios in the order in which a round runs them. One with `isExtra` runs only if it is named. */
export const SCENARIOS = [
  ...[enqueueOne, enqueueSixteen, enqueueSixtyFour, enqueueMany, enqueueInTransaction],
  ...[drainByOne, drainByTwo],
  ...[latencyAcross, latencyWithin, due, ballast, slowHandler, fairShare, idle, prune, cycles, beside, notes],
  ...[look, screens, bloat],
];
