/** A change on its way: the steps of the barrier, each gateway's acknowledgement, and how it ended. */
import { useEffect, useState } from 'preact/hooks';
import type { ChangeInProgressDocument } from '../../admin/control-documents.ts';
import { changeInWords } from '../../wording/change-in-words.ts';
import { isOver } from '../../wording/change-progress.ts';
import { printable } from '../../wording/printable.ts';
import { type ApiProblem, getJson } from '../api.ts';
import { problemOf } from '../problem-of.ts';
import { Badge, type Tone } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Count } from '../ui/figures.tsx';
import { Panel } from '../ui/page.tsx';
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

/** A hold lasts seconds: steps that pass unseen would be no progress. */
const LOOK_EACH_MS = 300;

export interface FollowedChangeProps {
  readonly id: string;
  /** It is over: what it changed can be loaded. */
  readonly onOver: () => void;
  readonly onDismiss: () => void;
}

export function FollowedChange({ id, onOver, onDismiss }: FollowedChangeProps) {
  const { change, problem } = useChange(id, onOver);
  if (change === undefined) {
    return (
      <Panel title="Change">
        {problem === undefined ? <Loading what="the change" /> : <ProblemNote problem={problem} />}
      </Panel>
    );
  }
  const outcome = outcomeOf(change, Date.now());
  const aside = (
    <>
      <code>{change.id}</code>
      {isOver(change) && (
        <Button look="quiet" onClick={onDismiss}>
          Close
        </Button>
      )}
    </>
  );
  return (
    <Panel title={`Change: ${changeInWords(change)}`} aside={aside}>
      <div class="stack">
        <ol class="steps" aria-label="Steps of the change">
          {changeSteps(change).map((step) => (
            <Step key={step.key} step={step} />
          ))}
        </ol>
        <OutcomeLine outcome={outcome} />
        <Gateways change={change} />
        {problem !== undefined && <ProblemNote problem={problem} />}
        <p class="unit">
          {printable(change.actor)}: {printable(change.reason)}
        </p>
      </div>
    </Panel>
  );
}

/** Asks until it is over; what does not answer meanwhile is asked again. */
function useChange(id: string, onOver: () => void) {
  const [change, setChange] = useState<ChangeInProgressDocument>();
  const [problem, setProblem] = useState<ApiProblem>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isLeft = false;
    const look = async (): Promise<void> => {
      try {
        const found = await getJson<ChangeInProgressDocument>(`/api/v1/changes/${id}`);
        if (isLeft) return;
        setChange(found);
        setProblem(undefined);
        if (isOver(found)) {
          onOver();
          return;
        }
      } catch (error) {
        if (isLeft) return;
        setProblem(problemOf(error));
      }
      timer = setTimeout(() => void look(), LOOK_EACH_MS);
    };
    setChange(undefined);
    void look();
    return () => {
      isLeft = true;
      clearTimeout(timer);
    };
  }, [id]);
  return { change, problem };
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
      <ul class="plain-list">
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
