/** How many users a cohort has, for a sentence that somebody has to confirm. */
import type { CohortDocument } from '../admin/control-documents.ts';
import type { Known } from '../wording/movement.ts';
import { answerTo, openCall } from './admin-connection.ts';
import type { CliContext } from './context.ts';

/** More are not counted: a person learns nothing from it, and the record has to read them all. */
const COUNTED_MAX = 10_000;
const COUNTING_MS = 10_000;
const NEWLINE = 0x0a;

/**
 * @returns `undefined` for a cohort that also takes users whom the record does not know, and when the members cannot
 *   be counted in time
 */
export async function countMembers(
  { name, byRule, default: isDefault }: Pick<CohortDocument, 'name' | 'byRule' | 'default'>,
  context: Pick<CliContext, 'env'>,
): Promise<Known | undefined> {
  if (byRule || isDefault) return undefined;
  const path = `/api/v1/cohorts/${encodeURIComponent(name)}/members`;
  const headers = { accept: 'text/plain' };
  const request = openCall({ method: 'GET', path, headers }, context, AbortSignal.timeout(COUNTING_MS));
  try {
    const answered = answerTo(request);
    request.end();
    const response = await answered;
    if (response.statusCode !== 200) return undefined;
    let count = 0;
    for await (const chunk of response) {
      const piece: unknown = chunk;
      if (!Buffer.isBuffer(piece)) continue;
      for (const byte of piece) if (byte === NEWLINE) count += 1;
      if (count > COUNTED_MAX) return { count: COUNTED_MAX, more: true };
    }
    return { count, more: false };
  } catch {
    return undefined;
  } finally {
    request.destroy();
  }
}
