/** A change on its way: its phases, for whom it waits, and which gateway has acknowledged. */
import { useEffect } from 'preact/hooks';
import type {
  Acknowledgement,
  ChangeDocument,
  ChangeInProgressDocument,
} from '../../admin/control-documents.ts';
import { getJson } from '../api.ts';
import { formatRamp } from '../format.ts';
import { useLoad } from '../use-load.ts';
import { Badge, type Tone } from './badge.tsx';
import { Ago } from './figures.tsx';
import { ProblemNote } from './problem-note.tsx';

const AGAIN_MS = 1_000;
/** What a change goes through, in order. Undoing takes the place of what was still to come. */
const PHASES = ['pending', 'holding', 'switching', 'releasing', 'done'] as const;

/** Follows the change until it is over, then calls `onOver`. */
export function ChangeProgress({
  id,
  onOver,
}: {
  readonly id: string;
  readonly onOver?: (change: ChangeInProgressDocument) => void;
}) {
  const { data, problem, reload } = useLoad(
    () => getJson<ChangeInProgressDocument>(`/api/v1/changes/${encodeURIComponent(id)}`),
    [id],
  );
  const isOver = data?.phase === 'done' || data?.phase === 'undone';
  useEffect(() => {
    if (isOver) {
      if (data !== undefined) onOver?.(data);
      return;
    }
    const timer = setTimeout(reload, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [data, problem]);
  if (data === undefined) {
    return problem === undefined ? (
      <p class="unit">Asking how far it is …</p>
    ) : (
      <ProblemNote problem={problem} />
    );
  }
  return (
    <div class="stack">
      <p>
        <strong>{changeInWords(data)}</strong> <span class="unit">by {data.actor},</span>{' '}
        <Ago at={data.createdAt} />
        {data.reason !== '' && <span class="unit"> · “{data.reason}”</span>}
      </p>
      <Phases phase={data.phase} />
      {data.note !== null && <p class="note note-warn">{data.note}</p>}
      {data.gateways.length > 0 && (
        <ul class="acknowledgements" aria-label="Acknowledgements of the gateways">
          {data.gateways.map((gateway) => (
            <li key={gateway.id}>
              <Badge
                tone={toneOf(gateway)}
                title={`applied ${gateway.applied ?? '–'}, drained ${gateway.drained ?? '–'}`}
              >
                {gateway.where}
                {gateway.acknowledged
                  ? ' has acknowledged'
                  : gateway.state === 'live'
                    ? ' is awaited'
                    : ` is ${gateway.state}`}
              </Badge>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function toneOf({ acknowledged, state }: Acknowledgement): Tone {
  if (acknowledged) return 'good';
  return state === 'live' ? 'calm' : 'warn';
}

function Phases({ phase }: { readonly phase: ChangeInProgressDocument['phase'] }) {
  if (phase === 'undone') return <Badge tone="bad">undone: nothing changed, and nothing was lost</Badge>;
  if (phase === 'undoing') return <Badge tone="warn">undoing</Badge>;
  const here = PHASES.indexOf(phase);
  return (
    <ol class="phases" aria-label={`Phase: ${phase}`}>
      {PHASES.map((each, place) => (
        <li
          key={each}
          class={place < here || phase === 'done' ? 'phase-passed' : place === here ? 'phase-here' : ''}
          aria-current={place === here ? 'step' : undefined}
        >
          {each}
        </li>
      ))}
    </ol>
  );
}

/** `staff: shadow → live, ramp 10 %`. */
export function changeInWords({ kind, cohort, user, pin, from, to, users }: ChangeDocument): string {
  const whom = cohort ?? user ?? '';
  if (from !== null && to !== null) {
    const stage = from.stage === to.stage ? '' : `${from.stage} → ${to.stage}`;
    const ramp = from.ramp === to.ramp ? '' : `ramp ${formatRamp(from.ramp)} → ${formatRamp(to.ramp)}`;
    const what = [stage, ramp].filter((part) => part !== '').join(', ');
    return `${whom}: ${kind} ${what}`.trim();
  }
  if (pin !== null) return `${whom}: ${kind} to ${pin}`;
  return `${whom}: ${kind}${users > 0 ? `, ${users} users` : ''}`;
}
