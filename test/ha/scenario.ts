import type { Stage } from './stage.js';

/** Servers that run together, and the scenarios that are played on them, in this order. */
export interface Group<Cluster extends Stoppable = Stoppable> {
  /** What they are, and how they are set up. */
  readonly name: string;
  /** @param folder for their data and logs; it belongs to the owner of the servers */
  readonly start: (folder: string) => Promise<Cluster>;
  readonly scenarios: readonly Scenario<Cluster>[];
}

export interface Scenario<Cluster> {
  readonly name: string;
  /** Ends with `stage.conclude`. */
  readonly play: (stage: Stage, cluster: Cluster) => Promise<void>;
}

export interface Stoppable {
  stop(): Promise<void>;
}

/** Keeps the type of the cluster between a group and its scenarios, and then forgets it. */
export function group<Cluster extends Stoppable>(it: Group<Cluster>): Group {
  return it as unknown as Group;
}
