/**
 * What a new configuration changes, and what of it a running gateway can take over.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ConfigModel } from './model.ts';

export interface ReloadPlan {
  /** Parts that differ and take effect at once: `routes`, `log`, `admin.tokens`. */
  readonly applied: readonly string[];
  /** Parts that differ and stay as they are until the process is started again. */
  readonly needsRestart: readonly string[];
  /** What else the operator should know, in sentences. */
  readonly notes: readonly string[];
}

type Part = (config: ConfigModel) => unknown;

const RELOADED: Readonly<Record<string, Part>> = {
  'admin.tokens': (config) => config.admin.tokens,
  identity: (config) => config.identity,
  anonymous: (config) => config.anonymous,
  routes: (config) => config.routes,
  shadow: (config) => config.shadow,
  guard: (config) => config.guard,
  cutover: (config) => config.cutover,
  limits: (config) => config.limits,
  forwarding: (config) => config.forwarding,
  log: (config) => config.log,
  shutdown: (config) => config.shutdown,
};

/** Sockets, pools, processes and stores, which are made once. */
const RESTARTED: Readonly<Record<string, Part>> = {
  listen: (config) => config.listen,
  workers: (config) => config.workers,
  'admin.listen': (config) => config.admin.listen,
  backends: (config) => config.backends,
  state: (config) => config.state,
  record: (config) => config.record,
};

/** Compares two valid configurations. Parts appear in the order of the documentation. */
export function compareForReload(current: ConfigModel, next: ConfigModel): ReloadPlan {
  const differing = (parts: Readonly<Record<string, Part>>): string[] =>
    Object.entries(parts)
      .filter(([, part]) => !isDeepStrictEqual(part(current), part(next)))
      .map(([name]) => name);
  const notes: string[] = [];
  if (!isDeepStrictEqual(current.cohorts, next.cohorts)) {
    notes.push(
      'cohorts differ, and nothing follows from it here: the file only seeds cohorts that the state map does not have; change the ones it has with `turnout stage` and `turnout cohort`',
    );
  }
  return { applied: differing(RELOADED), needsRestart: differing(RESTARTED), notes };
}
