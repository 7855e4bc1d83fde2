/** Pins: one user, held while its truth may move. */
import type { Cohort, UserRecord } from '../model.ts';
import { ABSENT_RECORD } from '../model.ts';
import { type PinRequest, WritesStrandedError, WritesUnknownError } from './control.ts';
import { goesBack } from './going-back.ts';
import { judgeUser } from './judge-users.ts';
import type { Judged } from './start-change.ts';
import type { UserRecords } from './stores.ts';
import type { WriteMarks } from './write-marks.ts';

/** @throws WritesStrandedError, WritesUnknownError where the pin would strand writes and may not */
export async function judgePin(
  request: PinRequest,
  cohorts: readonly Cohort[],
  users: Pick<UserRecords, 'readUsers'>,
  marks: Pick<WriteMarks, 'writesOf'>,
): Promise<Judged> {
  const { user, backend, dirtyUsers } = request;
  const record: UserRecord = (await users.readUsers([user])).get(user) ?? ABSENT_RECORD;
  const change = { kind: backend === undefined ? 'unpin' : 'pin', cohort: undefined, pin: backend } as const;
  if (dirtyUsers !== 'force' && goesBack({ ...change, after: undefined }, user, record, cohorts)) {
    const writes = (await marks.writesOf([{ user, record }])).get(user) ?? 'none';
    if (writes === 'unknown') throw new WritesUnknownError(record.membership?.cohort ?? `of user ${user}`);
    if (writes === 'some') throw new WritesStrandedError([user]);
  }
  const { moves, needsEveryGateway, restsOn, comesTo } = judgeUser(change, { user, record }, cohorts);
  return {
    ...change,
    dirtyUsers,
    user,
    movesTruth: moves,
    needsEveryGateway,
    claims: { held: [], own: [], shared: moves ? comesTo : restsOn, users: [user] },
    judged: cohorts,
  };
}
