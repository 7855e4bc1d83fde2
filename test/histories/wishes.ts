/** What an operator may want: how it is asked for through the admin API, and how the audit's rows are read. */
import type { ChangeDocument, DefinitionDocument } from './admin-api.ts';
import type { Backend, Change, MembersChange, Ramp, Stage, StageAndRamp } from './checker/history.ts';

export const STAGES: { readonly [S in Stage]: number } = {
  off: 2,
  dualwrite: 1,
  shadow: 4,
  live: 6,
  rampdown: 3,
  complete: 1,
};

export type DirtyUsers = 'drain' | 'keep' | 'force';

/** One change. Without `dirtyUsers` whoever wrote to `new` stays there. */
export type Wish = { readonly dirtyUsers?: DirtyUsers | undefined } & (
  | { readonly what: 'stage'; readonly cohort: string; readonly stage: Stage; readonly ramp: Ramp }
  | { readonly what: 'rollback'; readonly cohort: string }
  | { readonly what: 'rule'; readonly cohort: string; readonly plans: readonly string[] }
  | { readonly what: 'pin'; readonly user: string; readonly backend: Backend }
  | { readonly what: 'unpin'; readonly user: string }
);

/** Several changes, as many as batches are needed. */
export type JobWish = { readonly cohort: string; readonly dirtyUsers?: DirtyUsers | undefined } & (
  | { readonly what: 'add' | 'remove'; readonly users: readonly string[] }
  | { readonly what: 'reassign' }
);

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: object;
}

/** @param reason by which it is found in the audit */
export function requestOf(wish: Wish, reason: string): Request {
  const { dirtyUsers } = wish;
  const why = { reason, ...(dirtyUsers === undefined ? {} : { dirtyUsers }) };
  switch (wish.what) {
    case 'stage': {
      const { cohort, stage, ramp } = wish;
      return { method: 'POST', path: `/api/v1/cohorts/${cohort}/stage`, body: { stage, ramp, ...why } };
    }
    case 'rollback':
      return { method: 'POST', path: `/api/v1/cohorts/${wish.cohort}/rollback`, body: why };
    case 'rule': {
      const rule = { attribute: 'header.x-plan', in: wish.plans };
      return { method: 'PATCH', path: `/api/v1/cohorts/${wish.cohort}`, body: { rule, ...why } };
    }
    case 'pin':
      return pinRequest('PUT', wish.user, { backend: wish.backend, ...why });
    case 'unpin':
      return pinRequest('DELETE', wish.user, why);
    default:
      return wish satisfies never;
  }
}

function pinRequest(method: string, user: string, body: object): Request {
  return { method, path: `/api/v1/users/${encodeURIComponent(user)}/pin`, body };
}

/** @returns where the job is asked for, and the text that it takes */
export function jobRequest(wish: JobWish, reason: string): Request & { readonly text: string } {
  const { cohort, dirtyUsers } = wish;
  const why = { reason, ...(dirtyUsers === undefined ? {} : { dirtyUsers }) };
  if (wish.what === 'reassign') {
    const path = `/api/v1/cohorts/${cohort}/reassign`;
    return { method: 'POST', path, body: why, text: JSON.stringify(why) };
  }
  const path = `/api/v1/cohorts/${cohort}/members?${new URLSearchParams(why).toString()}`;
  const text = wish.users.map((user) => `${user}\n`).join('');
  return { method: wish.what === 'add' ? 'POST' : 'DELETE', path, body: why, text };
}

/** What else the audit knows of a change. */
export interface ChangeParts {
  readonly requestedMs: number;
  readonly overMs: number;
  /** Users whose records it replaced. */
  readonly users: readonly string[];
  /** Users whose writes were in `new` only. */
  readonly dirty: readonly string[];
}

/** The audit's row as the checker reads it. @throws for a kind that no wish leads to */
export function changeOf(document: ChangeDocument, parts: ChangeParts): Change {
  const { id, kind, phase, epochs, note, movesTruth, from, to, user, pin } = document;
  const { requestedMs, overMs, users, dirty } = parts;
  const audited = {
    id,
    outcome: phase === 'done' || phase === 'undone' ? phase : 'open',
    epoch: epochs.switch ?? null,
    requestedMs,
    overMs,
    note: note ?? '',
    movesTruth,
    force: document.dirtyUsers === 'force',
  } as const;
  const cohort = document.cohort ?? '';
  switch (kind) {
    case 'stage':
    case 'rollback':
    case 'cohort-edit': {
      const kept = audited.force ? [] : dirty;
      const stages = { from: stageAndRamp(from), to: stageAndRamp(to) };
      const plans = kind === 'cohort-edit' ? { plans: to?.rule?.in ?? [] } : {};
      return { ...audited, kind: 'cohort', cohort, ...stages, ...plans, kept };
    }
    case 'pin':
    case 'unpin':
      return { ...audited, kind: 'pin', user: user ?? '', to: pin, changed: users.length > 0 };
    case 'members-add':
    case 'members-remove':
    case 'reassign':
      return { ...audited, kind: 'members', action: ACTIONS[kind], cohort, users };
    default:
      throw new Error(`nobody asked for change ${id} of kind ${kind}`);
  }
}

const ACTIONS = {
  'members-add': 'add',
  'members-remove': 'remove',
  reassign: 'reassign',
} as const satisfies {
  readonly [kind: string]: MembersChange['action'];
};

function stageAndRamp(definition: DefinitionDocument | null): StageAndRamp {
  const stage = definition?.stage ?? '';
  if (definition === null || !isStage(stage)) throw new Error(`the audit has a stage ${stage}`);
  return { stage, ramp: definition.ramp };
}

function isStage(word: string): word is Stage {
  return word in STAGES;
}
