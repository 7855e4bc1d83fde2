/** A decision in words, for the person who asks at 3 a.m. why a request went where it went. */
import type { Backend, Decision, Reason, Stage, UserState } from '../model.ts';
import { RAMP_BUCKETS } from '../model.ts';

/** The JSON form of a decision: the same for the CLI and the admin API. Absent things are `null`. */
export interface ExplainedDecision {
  readonly target: Backend;
  readonly shadow: Backend | null;
  readonly mirror: Backend | null;
  readonly held: boolean;
  readonly ownerUnknown: boolean;
  readonly cohort: string | null;
  readonly stage: Stage | null;
  readonly place: string | null;
  readonly reasons: readonly ExplainedReason[];
}

export interface ExplainedReason {
  readonly code: Reason['code'];
  readonly sentence: string;
  /** The facts of the reason, as in the decision. */
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}

/** One sentence for each reason, in the order in which they were reached. Never empty. */
export function explain(decision: Decision): string[] {
  return decision.reasons.map(sentenceOf);
}

export function explainAsJson(decision: Decision): ExplainedDecision {
  return {
    target: decision.target,
    shadow: decision.shadow ?? null,
    mirror: decision.mirror ?? null,
    held: decision.held,
    ownerUnknown: decision.ownerUnknown,
    cohort: decision.cohort ?? null,
    stage: decision.stage ?? null,
    place: decision.place ?? null,
    reasons: decision.reasons.map((reason) => ({
      code: reason.code,
      sentence: sentenceOf(reason),
      detail: detailOf(reason),
    })),
  };
}

/** What happens to the request, after the reasons: one sentence for each consequence. */
export function consequences(decision: Decision): string[] {
  const lines: string[] = [];
  if (decision.ownerUnknown) {
    lines.push(
      decision.held
        ? 'The write waits, and is refused if the state map does not settle the question in time.'
        : 'The read is refused: nobody can say which backend has the right answer.',
    );
  } else if (decision.held) {
    lines.push(`The write waits; by this decision it would then go to ${decision.target}.`);
  } else {
    lines.push(`The request goes to ${decision.target}.`);
  }
  if (decision.shadow !== undefined) {
    lines.push(`A copy of the read may be sent to ${decision.shadow} for comparison.`);
  }
  if (decision.mirror !== undefined) lines.push(`The write is to be replayed on ${decision.mirror}.`);
  if (decision.place !== undefined) {
    lines.push(
      `The user is first recorded as a member of cohort "${decision.place}", so that other attributes cannot send it elsewhere later.`,
    );
  }
  return lines;
}

/** One reason as a sentence. */
export function sentenceOf(reason: Reason): string {
  switch (reason.code) {
    case 'route-backend':
      return `Route "${reason.route}" always goes to ${reason.backend}, whoever the user is.`;
    case 'anonymous':
      return `The request has no valid user; requests without one go to ${reason.backend}.`;
    case 'pin':
      return `An operator pinned the user to ${reason.backend}.`;
    case 'cohort-member':
      return reason.by === 'explicit'
        ? `The user is a member of cohort "${reason.cohort}": it was added by name.`
        : `The user is a member of cohort "${reason.cohort}": an earlier request placed it there for good.`;
    case 'cohort-unknown':
      return `The user is recorded as a member of cohort "${reason.cohort}", which the state map does not have, so the cohort says nothing of where the user's data is.`;
    case 'cohort-rule':
      return `The user has no membership yet, and cohort "${reason.cohort}" is the first whose rule the request meets.`;
    case 'cohort-default':
      return `The user has no membership yet and meets no cohort's rule, so the default cohort "${reason.cohort}" takes it.`;
    case 'no-cohort':
      return 'The user belongs to no cohort and there is no default cohort, so nothing has moved it from legacy.';
    case 'stage':
      return `Cohort "${reason.cohort}" is at stage ${reason.stage}.`;
    case 'ramp-bucket':
      return `The ramp admits the first ${reason.buckets} of ${RAMP_BUCKETS} buckets (${reason.buckets / 100} %); the user's bucket is ${reason.bucket}, ${inOrOut(reason.inside)}, so stage ${reason.stage} applies.`;
    case 'ramp-count':
      return `The ramp admits the first ${reason.count} members added by name; ${ordinalPhrase(reason.ordinal)}, ${inOrOut(reason.inside)}, so stage ${reason.stage} applies.`;
    case 'user-state':
      return `The cohort moves its users one by one and ${statePhrase(reason.state)}, so stage ${reason.stage} applies.`;
    case 'hold':
      return holdSentence(reason.scope, reason.change);
    default:
      reason satisfies never;
      return '';
  }
}

function inOrOut(inside: boolean): string {
  return inside ? 'inside it' : 'outside it';
}

function ordinalPhrase(ordinal: number | undefined): string {
  return ordinal === undefined ? 'the user was not added by name' : `the user is number ${ordinal + 1}`;
}

function statePhrase(state: UserState | undefined): string {
  switch (state) {
    case undefined:
      return "this user's data has not been moved";
    case 'migrating':
      return "this user's data is being moved right now";
    case 'migrated':
      return "this user's data has been moved";
    case 'failed':
      return "moving this user's data failed";
    default:
      state satisfies never;
      return '';
  }
}

function holdSentence(scope: 'cohort' | 'user' | 'migrating', change: string | undefined): string {
  switch (scope) {
    case 'cohort':
      return change === undefined
        ? 'Writes wait until the state map says where the data is.'
        : `Writes of the cohort wait until change ${change} is through.`;
    case 'user':
      return `Writes of this user wait until change ${change ?? 'in progress'} is through.`;
    case 'migrating':
      return "Writes of this user wait until the user's data has been moved.";
    default:
      scope satisfies never;
      return '';
  }
}

function detailOf(reason: Reason): Record<string, string | number | boolean | null> {
  const detail: Record<string, string | number | boolean | null> = {};
  for (const [name, value] of Object.entries(reason)) {
    if (name !== 'code') detail[name] = value ?? null;
  }
  return detail;
}
