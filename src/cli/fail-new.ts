/** What the story of a broken new shop asks of the gateway, through its admin API like everybody. */
import { ChangeAnswerSchema } from '../admin/control-documents.ts';
import { ClearAnswerSchema, type TripDocument, TripSchema } from '../admin/guard-documents.ts';
import type { StoryGateway, StoryTrip } from '../demo/fail-new-story.ts';
import { askPages, tellAdmin } from './admin-client.ts';
import { Refused } from './admin-connection.ts';
import { followChange } from './follow-change.ts';

const TRIPS_MAX = 50;
const WAIT_MS = 30_000;
const REASON = 'the demo';

/** @param adminUrl of the demo's gateway, which has no tokens */
export function storyGateway(adminUrl: string): StoryGateway {
  const context = { env: { TURNOUT_ADMIN_URL: adminUrl } };
  const goLive = async (cohort: string): Promise<void> => {
    const path = `/api/v1/cohorts/${cohort}/stage`;
    const body = { stage: 'live', ramp: '100%', reason: REASON };
    const { change } = await tellAdmin(ChangeAnswerSchema, { method: 'POST', path, body }, context);
    await followChange(change.id, { waitMs: WAIT_MS, progress: () => undefined }, context);
  };
  const tripOf = (trip: TripDocument): StoryTrip => ({
    id: trip.id,
    cohort: trip.cohort,
    trippedAt: new Date(trip.trippedAt),
    inForceAt: trip.inForceAt === null ? undefined : new Date(trip.inForceAt),
    sentences: trip.sentences,
  });
  return {
    goLive,
    whyNotLive: async (cohort) => {
      try {
        await goLive(cohort);
        return undefined;
      } catch (error) {
        if (error instanceof Refused) return String(error.problem['detail']);
        throw error;
      }
    },
    trips: async () => (await askPages(TripSchema, '/api/v1/guard/trips', TRIPS_MAX, context)).map(tripOf),
    clear: async (cohort) => {
      const path = `/api/v1/cohorts/${cohort}/ramp`;
      const body = { action: 'clear', reason: 'the new shop is mended' };
      await tellAdmin(ClearAnswerSchema, { method: 'POST', path, body }, context);
    },
  };
}
