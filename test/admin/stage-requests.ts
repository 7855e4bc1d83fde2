/** A control API over a control service that is no real one, and what is asked of it to move a cohort. */
import type { Test } from 'tap';
import type { TokenModel } from '../../src/config/model.ts';
import { FakeControl } from './fake-control.ts';
import { type Asked, openAdmin } from './open-admin.ts';

export async function openFakeControl(t: Test, tokens: readonly TokenModel[] = []) {
  const control = new FakeControl();
  return { control, ...(await openAdmin(t, { tokens, control: () => control })) };
}

export const STAGE = '/api/v1/cohorts/beta/stage';
export const LIVE = { stage: 'live', ramp: '10%', reason: 'the figures are good' };

export const post = (json: unknown, headers: Record<string, string> = {}): Asked => ({
  method: 'POST',
  json,
  headers,
});

/** The change that an answer carries. */
export const idIn = ({ json }: { json: Record<string, unknown> }): string => {
  const { change } = json;
  return typeof change === 'object' && change !== null && 'id' in change ? String(change.id) : String(change);
};
