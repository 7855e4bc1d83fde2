/** What the page of a cohort asks the API for. */

import type { Static } from '@sinclair/typebox';
import type {
  ChangeAnswerSchema,
  CohortAtEpochSchema,
  CohortDocument,
  PreviewDocument,
} from '../../admin/control-documents.ts';
import type { Known } from '../../wording/movement.ts';
import { ApiProblem, send, sendJson } from '../api.ts';
import { countMembers } from '../count-members.ts';
import { type JobLine, jobLines } from './upload-members.ts';

export type CohortAtEpoch = Static<typeof CohortAtEpochSchema>;
export type DirtyPolicy = 'drain' | 'keep' | 'force';

export function cohortPath(name: string): string {
  return `/api/v1/cohorts/${encodeURIComponent(name)}`;
}

export interface StageBody {
  readonly stage: string;
  readonly ramp: number | string;
  readonly reason: string;
  readonly dirtyUsers: DirtyPolicy;
}

/**
 * @param key of the request: the same request with the same key begins one change, however often it is sent
 * @returns the id of the change that was begun, also when it was undone at once
 * @throws ApiProblem
 */
export function beginStage(name: string, body: StageBody, key: string): Promise<string> {
  return begin(`${cohortPath(name)}/stage`, body, key);
}

export function beginRollback(
  name: string,
  body: { readonly reason: string; readonly dirtyUsers: DirtyPolicy },
  key: string,
): Promise<string> {
  return begin(`${cohortPath(name)}/rollback`, body, key);
}

async function begin(path: string, body: object, key: string): Promise<string> {
  // Its progress is to be seen, so its end is not waited for here.
  const headers = { 'idempotency-key': key, prefer: 'wait=0' };
  try {
    const { change } = await sendJson<Static<typeof ChangeAnswerSchema>>('POST', path, body, headers);
    return change.id;
  } catch (error) {
    const undone = error instanceof ApiProblem && error.code === 'change_undone' && error.members['change'];
    if (typeof undone === 'string') return undone;
    throw error;
  }
}

/** Holds nobody. */
export function previewRollback(name: string): Promise<PreviewDocument> {
  const body = { dryRun: true, reason: 'preview in the console' };
  return sendJson<PreviewDocument>('POST', `${cohortPath(name)}/rollback`, body);
}

/** @returns `undefined` for a cohort that also takes users whom the record does not know */
export async function knownMembers(cohort: CohortDocument): Promise<Known | undefined> {
  if (cohort.byRule || cohort.default) return undefined;
  const { count, isMore } = await countMembers(cohort.name);
  return { count, more: isMore };
}

/** All members as a file, one a line. */
export async function downloadMembers(name: string): Promise<Blob> {
  const response = await send(`${cohortPath(name)}/members`, { headers: { accept: 'text/plain' } });
  return response.blob();
}

export interface MembersJob {
  readonly name: string;
  readonly action: 'add' | 'remove';
  readonly reason: string;
  readonly dirtyUsers: DirtyPolicy;
  readonly stop: AbortSignal;
}

/** Sends one piece of a file, and answers line by line what became of it. */
export async function* sendMembers(
  { name, action, reason, dirtyUsers, stop }: MembersJob,
  piece: Blob,
  fromLine: number,
): AsyncGenerator<JobLine, void, void> {
  const query = new URLSearchParams({ reason, dirtyUsers, fromLine: String(fromLine) });
  const response = await send(`${cohortPath(name)}/members?${query.toString()}`, {
    method: action === 'add' ? 'POST' : 'DELETE',
    headers: { 'content-type': 'text/plain', accept: 'application/x-ndjson' },
    // Without a type of its own, which would replace the header.
    body: new Blob([piece]),
    signal: stop,
  });
  yield* jobLines(textOf(response));
}

async function* textOf(response: Response): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  for await (const bytes of piecesOf(response)) yield decoder.decode(bytes, { stream: true });
}

/** Streams are not iterable in every browser yet. */
async function* piecesOf({ body }: Response): AsyncGenerator<Uint8Array, void, void> {
  if (body === null) return;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
