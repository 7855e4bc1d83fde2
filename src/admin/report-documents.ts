/** Mismatch reports as the API writes them: times in ISO 8601, `null` for what there is none of. */
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { Difference } from '../comparison/difference.ts';
import type { GroupInFull } from '../reports/create-report-reader.ts';
import type { JudgedGroup } from '../reports/judged-group.ts';
import type { GroupEvent, StoredSample } from '../reports/report-store.ts';
import type { StoredAnswer } from '../reports/stored-answer.ts';
import type { Verification } from '../reports/verify-group.ts';

const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
/** ISO 8601. */
export const Time = Type.String();
export const Count = Type.Integer({ minimum: 0 });

export const ShareSchema = Type.Object({
  count: Count,
  total: Count,
  share: Type.Number(),
  /** Of the 95 % interval (Wilson). */
  low: Type.Number(),
  high: Type.Number(),
});

export const GroupSchema = Type.Object({
  id: Type.String(),
  route: Type.String(),
  kind: Type.String(),
  /** The place, indexes and keys of maps folded: `$.items[].price`. */
  where: Type.String(),
  /** Of legacy, then of new; of a status the statuses. */
  types: Type.String(),
  weight: Count,
  status: Type.String(),
  statusSince: Time,
  ignoredUntil: orNull(Time),
  owner: orNull(Type.String()),
  note: orNull(Type.String()),
  /** `reported`, `unproven`, `unconfirmed` or `noise`, and why. */
  judgement: Type.Object({ kind: Type.String(), because: Type.String() }),
  share: ShareSchema,
  /** Among reads that asked the authoritative backend again. */
  noise: ShareSchema,
  confirmed: Count,
  transient: Count,
  flapping: Count,
  unconfirmed: Count,
  /** An estimate and one standard error of it. */
  users: Type.Object({ estimate: Count, error: Count }),
  /** `cohort` is empty for requests without one. */
  cohorts: Type.Array(Type.Object({ cohort: Type.String(), reads: Count, confirmed: Count, noise: Count })),
  countedFrom: Time,
  firstSeen: Time,
  lastSeen: Time,
  lastConfirmed: orNull(Time),
  reopened: Count,
  reopenedAt: orNull(Time),
  samples: Count,
});
export type GroupDocument = Static<typeof GroupSchema>;

export const time = (at: number): string => new Date(at).toISOString();
const timeOrNull = (at: number | undefined): string | null => (at === undefined ? null : time(at));

export function groupDocument(group: JudgedGroup): GroupDocument {
  const { id, route, kind, types, weight, status, judgement, share, confirmed, transient, users } = group;
  return {
    id,
    route,
    kind,
    where: group.pattern,
    types,
    weight,
    status,
    statusSince: time(group.statusSince),
    ignoredUntil: timeOrNull(group.ignoredUntil),
    owner: group.owner ?? null,
    note: group.note ?? null,
    judgement,
    share,
    noise: group.noiseShare,
    confirmed,
    transient,
    flapping: group.flapping,
    unconfirmed: group.unconfirmed,
    users,
    cohorts: Object.entries(group.cohorts).map(([cohort, { raw, confirmed: sure, noise }]) => ({
      cohort,
      reads: raw,
      confirmed: sure,
      noise,
    })),
    countedFrom: time(group.countedFrom),
    firstSeen: time(group.firstSeen),
    lastSeen: time(group.lastSeen),
    lastConfirmed: timeOrNull(group.lastConfirmed),
    reopened: group.reopened,
    reopenedAt: timeOrNull(group.reopenedAt),
    samples: group.samples,
  };
}

const ValueSchema = Type.Object({
  type: Type.String(),
  /** Absent where that side has none. A value that was hidden is `[TYPE LENGTH HASH]`. */
  value: Type.Optional(Type.Unknown()),
});

const AnswerSchema = Type.Object({
  status: Type.Integer(),
  headers: Type.Array(Type.Tuple([Type.String(), Type.String()])),
  /** `text`, `hidden` (length and hash of a body that is no text) or `left-out`, with `why`. */
  body: Type.Object({
    kind: Type.String(),
    text: Type.Optional(Type.String()),
    shown: Type.Optional(Type.String()),
    why: Type.Optional(Type.String()),
  }),
  durationMs: orNull(Type.Number()),
  failure: orNull(Type.Object({ kind: Type.String(), code: Type.String() })),
});

const DifferenceSchema = Type.Object({
  path: Type.String(),
  where: Type.String(),
  kind: Type.String(),
  /** Of the side that served the user. */
  left: ValueSchema,
  right: ValueSchema,
});

export const SampleSchema = Type.Object({
  at: Time,
  expiresAt: Time,
  verdict: Type.String(),
  cohort: orNull(Type.String()),
  /** The backend that served the user. */
  authoritative: Type.String(),
  request: Type.Object({
    method: Type.String(),
    target: Type.String(),
    headers: Type.Array(Type.String()),
    /** Why it cannot be asked again as it was. */
    changed: orNull(Type.String()),
  }),
  answers: Type.Object({ authoritative: AnswerSchema, secondary: AnswerSchema }),
  /** Those of the group first. */
  differences: Type.Array(DifferenceSchema),
});
export type SampleDocument = Static<typeof SampleSchema>;

const EventSchema = Type.Object({
  at: Time,
  actor: Type.String(),
  action: Type.String(),
  from: Type.String(),
  to: Type.String(),
  detail: orNull(Type.String()),
});

export const WatchSchema = Type.Object({
  armedAt: Time,
  actor: Type.String(),
  /** Reads of the route that were compared since, and those of them with the difference. */
  reads: Count,
  seen: Count,
  verdict: Type.String(),
  /** With 95 % confidence the difference is in less than this share of reads; `null` when it was seen. */
  upper: orNull(Type.Number()),
  /** Reads without it, all together, that would tell; `null` when it is told. */
  needed: orNull(Count),
});

export const GroupInFullSchema = Type.Object({
  group: GroupSchema,
  samples: Type.Array(SampleSchema),
  /** Newest first. */
  events: Type.Array(EventSchema),
  watch: orNull(WatchSchema),
});
export type GroupInFullDocument = Static<typeof GroupInFullSchema>;

function answerDocument({
  status,
  headers,
  body,
  durationMs,
  failure,
}: StoredAnswer): Static<typeof AnswerSchema> {
  return {
    status,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    body,
    durationMs: durationMs ?? null,
    failure: failure ?? null,
  };
}

function differenceDocument({
  path,
  pattern,
  kind,
  left,
  right,
}: Difference): Static<typeof DifferenceSchema> {
  return { path, where: pattern, kind, left, right };
}

export function sampleDocument({ at, expiresAt, verdict, sample }: StoredSample): SampleDocument {
  const { cohort, authoritative, request, answers, differences } = sample;
  return {
    at: time(at),
    expiresAt: time(expiresAt),
    verdict,
    cohort: cohort ?? null,
    authoritative,
    request: { ...request, headers: [...request.headers], changed: request.changed ?? null },
    answers: {
      authoritative: answerDocument(answers.authoritative),
      secondary: answerDocument(answers.secondary),
    },
    differences: differences.map(differenceDocument),
  };
}

function eventDocument({ at, actor, action, from, to, detail }: GroupEvent): Static<typeof EventSchema> {
  return { at: time(at), actor, action, from, to, detail: detail ?? null };
}

function watchDocument(watch: Verification['watch']): Static<typeof WatchSchema> | null {
  if (watch === undefined) return null;
  const { armedAt, actor, reads, seen, outcome } = watch;
  return {
    armedAt: time(armedAt),
    actor,
    reads,
    seen,
    verdict: outcome.verdict,
    upper: outcome.verdict === 'still_there' ? null : outcome.upper,
    needed: outcome.verdict === 'waiting' ? outcome.needed : null,
  };
}

export function groupInFull({ group, samples, events, watch }: GroupInFull): GroupInFullDocument {
  return {
    group: groupDocument(group),
    samples: samples.map(sampleDocument),
    events: events.map(eventDocument),
    watch: watchDocument(watch),
  };
}

export const VerificationSchema = Type.Object({
  /** `fixed`, `still_there`, or `waiting` for reads to be compared. */
  verdict: Type.String(),
  samples: Type.Array(
    Type.Object({ target: Type.String(), at: Time, verdict: Type.String(), why: orNull(Type.String()) }),
  ),
  watch: orNull(WatchSchema),
});
export type VerificationDocument = Static<typeof VerificationSchema>;

export function verificationDocument({ verdict, samples, watch }: Verification): VerificationDocument {
  return {
    verdict,
    samples: samples.map(({ target, at, outcome }) => ({
      target,
      at: time(at),
      verdict: outcome.verdict,
      why: outcome.verdict === 'unknown' ? outcome.why : null,
    })),
    watch: watchDocument(watch),
  };
}
