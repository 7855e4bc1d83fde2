/** A change as the steps of the barrier, and what each gateway has done for the one that is under way. Pure. */
import type {
  Acknowledgement,
  ChangeDocument,
  ChangeInProgressDocument,
} from '../../admin/control-documents.ts';
import { isOver } from '../../wording/change-progress.ts';
import { printable } from '../../wording/printable.ts';
import { counted, formatDuration } from '../format.ts';

/** `skipped`: it will not be taken, because the change was undone before. */
export type StepState = 'passed' | 'now' | 'to-come' | 'skipped';

export interface ChangeStep {
  readonly key: 'preflight' | 'hold' | 'switch' | 'release' | 'undo';
  readonly title: string;
  /** What happens in it, one sentence. */
  readonly meaning: string;
  readonly state: StepState;
  readonly epoch: number | null;
}

type Phase = ChangeDocument['phase'];
type Key = Exclude<ChangeStep['key'], 'undo'>;

const TITLES: Readonly<Record<ChangeStep['key'], string>> = {
  preflight: 'Preflight',
  hold: 'Hold',
  switch: 'Switch',
  release: 'Release',
  undo: 'Undo',
};

const MEANINGS: Readonly<Record<ChangeStep['key'], string>> = {
  preflight: 'Every gateway is there, the stores answer. Nobody waits yet.',
  hold: 'New writes wait; those in flight finish. Reads go on.',
  switch: 'The new owner answers reads. Writes still wait.',
  release: 'The writes that waited go, to the new owner.',
  undo: 'The writes that waited go, to the owner they always had. Nobody has moved.',
};

/** How many steps are behind when a change is in this phase, of those that move a truth. */
const PASSED: Readonly<Record<Exclude<Phase, 'undoing' | 'undone'>, number>> = {
  pending: 0,
  holding: 1,
  switching: 2,
  releasing: 3,
  done: 4,
};

/** A change that moves nobody's truth has no hold and no release. */
export function changeSteps(change: Pick<ChangeDocument, 'phase' | 'movesTruth' | 'epochs'>): ChangeStep[] {
  const { phase, movesTruth, epochs } = change;
  const all: readonly Key[] = ['preflight', 'hold', 'switch', 'release'];
  const keys = movesTruth ? all : all.filter((key) => key === 'preflight' || key === 'switch');
  const isUndone = phase === 'undoing' || phase === 'undone';
  const epochOf = (key: Key): number | null => (key === 'preflight' ? null : epochs[key]);
  const steps = keys.map((key): ChangeStep => {
    const state = isUndone ? stateUndone(key, epochs.hold) : stateOf(all.indexOf(key), PASSED[phase]);
    const meaning =
      movesTruth || key !== 'switch' ? MEANINGS[key] : 'Every gateway takes it over. Nobody waits.';
    // The epoch of the release of an undone change is that of its undoing.
    const epoch = isUndone && key === 'release' ? null : epochOf(key);
    return { key, title: TITLES[key], meaning, state, epoch };
  });
  if (!isUndone) return steps;
  const undo: ChangeStep = {
    key: 'undo',
    title: TITLES.undo,
    meaning: MEANINGS.undo,
    state: phase === 'undone' ? 'passed' : 'now',
    epoch: epochs.release,
  };
  return [...steps, undo];
}

function stateOf(index: number, passed: number): StepState {
  if (index < passed) return 'passed';
  return index === passed ? 'now' : 'to-come';
}

function stateUndone(key: Key, holdEpoch: number | null): StepState {
  if (key === 'preflight') return 'passed';
  return key === 'hold' && holdEpoch !== null ? 'passed' : 'skipped';
}

export interface GatewayProgress {
  readonly id: string;
  readonly where: string;
  readonly isDone: boolean;
  readonly says: string;
}

/** None for a change that is over. Those that are waited for come first. */
export function gatewayProgress({ phase, gateways }: ChangeInProgressDocument): GatewayProgress[] {
  return gateways
    .map((gateway) => ({
      id: gateway.id,
      where: printable(gateway.where),
      isDone: gateway.acknowledged,
      says: gatewaySays(phase, gateway),
    }))
    .toSorted((a, b) => Number(a.isDone) - Number(b.isDone) || a.where.localeCompare(b.where));
}

function gatewaySays(phase: Phase, { state, acknowledged, applied, drained }: Acknowledgement): string {
  if (state === 'fenced') return 'lost, and fenced: it refuses writes';
  if (state === 'silent') return 'not heard of: waits until it is back, or surely fenced';
  const at = (epoch: number | null): string => (epoch === null ? 'no epoch' : `epoch ${epoch}`);
  switch (phase) {
    case 'holding':
      return acknowledged ? `drained, ${at(drained)}` : `finishes its writes; drained ${at(drained)}`;
    case 'switching':
    case 'releasing':
    case 'undoing':
      return acknowledged ? `applied, ${at(applied)}` : `has not applied it yet; is at ${at(applied)}`;
    case 'pending':
      return 'live';
    case 'done':
    case 'undone':
      return '';
    default:
      return phase satisfies never;
  }
}

/** What became of a change, or what it is at. */
export interface Outcome {
  readonly kind: 'done' | 'undone' | 'open';
  readonly says: string;
}

/** @param nowMs milliseconds since 1970, for how long an open change has taken */
export function outcomeOf(change: ChangeDocument, nowMs: number): Outcome {
  const { phase, epoch, dirty, dirtyUsers, note, createdAt, endedAt } = change;
  const tookMs = (endedAt === null ? nowMs : Date.parse(endedAt)) - Date.parse(createdAt);
  const took = formatDuration(Math.max(0, tookMs));
  const why = note === null ? '' : `: ${printable(note)}`;
  if (!isOver(change)) return { kind: 'open', says: `${phase}, for ${took} so far${why}` };
  if (phase === 'undone') return { kind: 'undone', says: `Undone after ${took}, and nobody moved${why}.` };
  const what = dirtyUsers === 'force' ? 'went back without writes of theirs' : 'stayed in new, pinned';
  const stayed = dirty === 0 ? '' : ` ${counted(dirty, 'user')} with writes in new ${what}.`;
  return {
    kind: 'done',
    says: `In force on every gateway since epoch ${epoch ?? '?'}, after ${took}.${stayed}`,
  };
}
