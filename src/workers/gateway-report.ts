/** What a running gateway says of itself, in the forms of the admin API. */
import type { StatusDocument } from '../admin/admin-source.ts';
import { RAMP_BUCKETS, type Ramp } from '../model.ts';
import type { WorkerReport } from './messages.ts';
import type { OpenGateway } from './open-gateway.ts';

/** `12.5 %` or `1000 users`. */
export function rampInWords(ramp: Ramp): string {
  return ramp.kind === 'percent' ? `${(ramp.buckets * 100) / RAMP_BUCKETS} %` : `${ramp.count} users`;
}

function cohortsOf({ snapshot }: OpenGateway['state']): StatusDocument['cohorts'] {
  return snapshot.cohorts.map(({ name, stage, ramp, isDefault, migration, mirror }) => ({
    name,
    stage,
    ramp: rampInWords(ramp),
    default: isDefault,
    migration,
    mirror,
    held: snapshot.cohortHolds.has(name),
  }));
}

/** @param uptimeMs since this process serves */
export function reportOf(gateway: OpenGateway, uptimeMs: number): WorkerReport {
  const { problem, ...status } = gateway.state.status();
  return {
    pid: process.pid,
    uptimeMs,
    inFlight: gateway.inFlight(),
    state: { ...status, problem: problem ?? null },
    cohorts: cohortsOf(gateway.state),
  };
}
