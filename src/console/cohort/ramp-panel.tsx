/** The plan by which the ramp grows: how far it is, and what a person can tell it. */
import { useState } from 'preact/hooks';
import type { CohortGuardDocument } from '../../admin/guard-documents.ts';
import type { PlanDocument, RampRunDocument } from '../../admin/ramp-documents.ts';
import { printable } from '../../wording/printable.ts';
import { gatesInWords, runInWords, stepRows, stepsInWords } from '../../wording/ramp-in-words.ts';
import { sendJson } from '../api.ts';
import { useSession } from '../session.tsx';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Time } from '../ui/figures.tsx';
import { Panel } from '../ui/page.tsx';
import { ReasonForm } from '../ui/reason-form.tsx';
import { Empty } from '../ui/states.tsx';
import { cohortPath } from './cohort-api.ts';
import { PlanDialog } from './plan-dialog.tsx';

type Order = 'pause' | 'resume' | 'abort' | 'approve' | 'clear';

const ORDERS: Readonly<
  Record<Order, { readonly title: string; readonly says: string; readonly risky: boolean }>
> = {
  pause: {
    title: 'Pause the plan',
    says: 'The cohort stays where it is until somebody resumes.',
    risky: false,
  },
  resume: {
    title: 'Resume the plan',
    says: 'The next steps are taken again, as their gates allow: users move to new.',
    risky: false,
  },
  abort: {
    title: 'Abort the plan',
    says: 'The plan ends. The cohort stays where it is; rolling back is another action.',
    risky: true,
  },
  approve: {
    title: 'Approve the next step',
    says: 'It is taken as soon as its time is over and its gates are met: users move to new.',
    risky: false,
  },
  clear: {
    title: 'Clear the trip',
    says: 'The cohort may go live again. Nobody moves by this alone.',
    risky: true,
  },
};

export interface RampPanelProps {
  readonly cohort: string;
  /** The newest; `null` when there never was one. */
  readonly run: RampRunDocument | null;
  readonly guard: CohortGuardDocument | undefined;
  /** Of the configuration, by name. */
  readonly plans: Readonly<Record<string, PlanDocument>>;
  readonly onChanged: () => void;
}

export function RampPanel({ cohort, run, guard, plans, onChanged }: RampPanelProps) {
  const { mayAct } = useSession();
  const [open, setOpen] = useState<Order | 'start'>();
  const isUnderWay = run !== null && run.endedAt === null;
  const isTripped = guard?.phase === 'tripped';
  const close = (): void => setOpen(undefined);
  const order = async (action: Order, reason: string): Promise<void> => {
    await sendJson('POST', `${cohortPath(cohort)}/ramp`, { action, reason });
    onChanged();
  };
  return (
    <Panel
      title="Ramp plan"
      aside={mayAct() && <Orders run={isUnderWay ? run : null} isTripped={isTripped} onOpen={setOpen} />}
    >
      <div class="stack">
        {isTripped && <Tripped guard={guard} />}
        {run === null ? (
          <Empty title="No plan was ever started">
            A plan lets the ramp grow step by step, each only when the figures of the one before are good.
          </Empty>
        ) : (
          <Run run={run} isUnderWay={isUnderWay} />
        )}
      </div>
      {open === 'start' && <PlanDialog cohort={cohort} plans={plans} onStarted={onChanged} onClose={close} />}
      {open !== undefined && open !== 'start' && (
        <ReasonForm
          title={ORDERS[open].title}
          action={ORDERS[open].title}
          look={ORDERS[open].risky ? 'danger' : 'primary'}
          onSubmit={(reason) => order(open, reason)}
          onClose={close}
        >
          <p>{ORDERS[open].says}</p>
        </ReasonForm>
      )}
    </Panel>
  );
}

interface OrdersProps {
  /** Under way. */
  readonly run: RampRunDocument | null;
  readonly isTripped: boolean;
  readonly onOpen: (order: Order | 'start') => void;
}

/** Only what makes sense now: the API would refuse the rest. */
function Orders({ run, isTripped, onOpen }: OrdersProps) {
  const button = (order: Order | 'start', text: string) => (
    <Button key={order} onClick={() => onOpen(order)}>
      {text} …
    </Button>
  );
  if (isTripped) return button('clear', 'Clear the trip');
  if (run === null) return button('start', 'Start a plan');
  const { status, approved, plan } = run;
  return (
    <>
      {!plan.automatic && !approved && status !== 'paused' && button('approve', 'Approve')}
      {status === 'paused' ? button('resume', 'Resume') : button('pause', 'Pause')}
      {button('abort', 'Abort')}
    </>
  );
}

function Tripped({ guard }: { readonly guard: CohortGuardDocument }) {
  return (
    <div class="note note-problem">
      <p class="note-title">The guard tripped. The cohort goes nowhere until a person clears it.</p>
      {guard.trip?.sentences.map((sentence) => (
        <p key={sentence}>{printable(sentence)}</p>
      ))}
    </div>
  );
}

function Run({ run, isUnderWay }: { readonly run: RampRunDocument; readonly isUnderWay: boolean }) {
  const rows = stepRows(run, Date.now());
  return (
    <div class="stack">
      <p class="row">
        <Badge tone={isUnderWay ? 'info' : run.status === 'done' ? 'good' : 'calm'}>
          {isUnderWay ? run.status : `ended: ${run.status}`}
        </Badge>
        <span>{runInWords(run)}</span>
      </p>
      <ol class="plan" aria-label={`Steps: ${stepsInWords(run.plan)}`}>
        {rows.map(([number = '', ramp = '', bake = '', where = ''], index) => (
          <li
            key={number}
            class={
              index === run.step
                ? 'plan-step plan-here'
                : index < run.step
                  ? 'plan-step plan-passed'
                  : 'plan-step'
            }
            aria-current={index === run.step ? 'step' : undefined}
          >
            <strong>{ramp}</strong>
            <span class="unit">stays {bake}</span>
            <span>{where}</span>
          </li>
        ))}
      </ol>
      <p class="unit">
        {run.plan.automatic ? 'By itself' : 'A person approves each step'}; gates: {gatesInWords(run.plan)}.
        Begun <Time at={run.startedAt} /> by {printable(run.actor)}: {printable(run.reason)}
      </p>
    </div>
  );
}
