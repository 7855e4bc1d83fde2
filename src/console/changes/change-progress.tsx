/** A change on its way: the steps of the barrier, each gateway's acknowledgement, and how it ended. */
import type { ChangeInProgressDocument } from '../../admin/control-documents.ts';
import { printable } from '../../wording/printable.ts';
import type { ApiProblem } from '../api.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Ago, Count } from '../ui/figures.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { Loading } from '../ui/states.tsx';
import {
  type ChangeStep,
  changeSteps,
  gatewayProgress,
  type Outcome,
  outcomeOf,
  type StepState,
} from './change-steps.ts';
import type { FollowedChange } from './use-change.ts';

/** What is known of a change that is followed: without a panel of its own. */
export function ChangeProgress({ change, problem }: FollowedChange) {
  if (change === undefined) return <NotYet problem={problem} />;
  const { actor, reason, createdAt } = change;
  return (
    <div class="stack">
      <ol class="steps" aria-label="Steps of the change">
        {changeSteps(change).map((step) => (
          <Step key={step.key} step={step} />
        ))}
      </ol>
      <OutcomeLine outcome={outcomeOf(change, Date.now())} />
      <Gateways change={change} />
      {problem !== undefined && <ProblemNote problem={problem} />}
      <p class="unit">
        {printable(actor)}, <Ago at={createdAt} />: {printable(reason)}
      </p>
    </div>
  );
}

function NotYet({ problem }: { readonly problem: ApiProblem | undefined }) {
  return problem === undefined ? <Loading what="the change" /> : <ProblemNote problem={problem} />;
}

const SIGNS: Readonly<Record<StepState, { readonly sign: string; readonly says: string }>> = {
  passed: { sign: '✓', says: 'passed' },
  now: { sign: '▸', says: 'now' },
  'to-come': { sign: '·', says: 'to come' },
  skipped: { sign: '–', says: 'not taken' },
};

function Step({ step: { title, meaning, state, epoch } }: { readonly step: ChangeStep }) {
  const { sign, says } = SIGNS[state];
  return (
    <li class={`step step-${state}`} title={meaning} aria-current={state === 'now' ? 'step' : undefined}>
      <span class="step-title">
        <span aria-hidden="true">{sign}</span> {title}
      </span>
      <span class="unit">
        {says}
        {epoch !== null && ` · epoch ${epoch}`}
      </span>
    </li>
  );
}

const TONES: Readonly<Record<Outcome['kind'], Tone>> = { done: 'good', undone: 'warn', open: 'info' };

function OutcomeLine({ outcome: { kind, says } }: { readonly outcome: Outcome }) {
  return (
    <p class="row" role="status">
      <Badge tone={TONES[kind]}>{kind === 'open' ? 'under way' : kind}</Badge>
      <span>{says}</span>
    </p>
  );
}

function Gateways({ change }: { readonly change: ChangeInProgressDocument }) {
  const gateways = gatewayProgress(change);
  if (gateways.length === 0) return null;
  const done = gateways.filter(({ isDone }) => isDone).length;
  return (
    <div>
      {change.phase !== 'pending' && (
        <p>
          <Count value={done} /> of <Count value={gateways.length} unit="gateways" /> acknowledged
        </p>
      )}
      <ul class="plain-list" aria-label="Acknowledgements of the gateways">
        {gateways.map(({ id, where, isDone, says }) => (
          <li key={id} class="row">
            <Badge tone={isDone ? 'good' : 'calm'}>{isDone ? 'acknowledged' : 'waited for'}</Badge>
            <span title={id}>{where}</span>
            <span class="unit">{says}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
