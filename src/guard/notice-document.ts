/** What a hook is sent, and its signature. Nothing of it is about a user. */
import { createHmac } from 'node:crypto';
import type { Notice } from './guard-store.ts';
import { rampInWords } from './ramp-in-words.ts';
import { tripInWords } from './trip-in-words.ts';

/** The body, the same each time that a notice is told. */
export function noticeDocument({ id, event, cohort, at, trip, ramp }: Notice): string {
  return JSON.stringify({
    id,
    event,
    cohort,
    at: at.toISOString(),
    ...(trip === undefined
      ? {}
      : {
          trip: {
            id: trip.id,
            condition: trip.condition,
            action: trip.action,
            path: trip.path,
            stage: trip.stage,
            summary: tripInWords(trip.condition, trip.path, trip.figures),
            figures: trip.figures,
            firstBadAt: trip.firstBadAt?.toISOString(),
            trippedAt: trip.trippedAt.toISOString(),
            change: trip.change,
            inForceAt: trip.inForceAt?.toISOString(),
            note: trip.note,
            clearedAt: trip.clearedAt?.toISOString(),
            clearedBy: trip.clearedBy,
          },
        }),
    ...(ramp === undefined
      ? {}
      : {
          ramp: {
            id: ramp.id,
            status: ramp.status,
            step: ramp.step,
            steps: ramp.plan.steps.map((step) => rampInWords(step.ramp)),
            note: ramp.note,
            startedBy: ramp.actor,
            startedAt: ramp.startedAt.toISOString(),
          },
        }),
  });
}

/**
 * The signature of a body: `t=` seconds since 1970, `v1=` HMAC-SHA256 in hex over the seconds, a full stop and the body.
 * Whoever checks it refuses seconds that are long past, so that nobody can send it once more.
 */
export function signatureOf(body: string, secret: string, seconds: number): string {
  const digest = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${digest}`;
}
