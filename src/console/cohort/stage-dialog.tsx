/** Changes the stage or the ramp of a cohort: what would move, what should be so first, and why. */
import { useMemo, useRef, useState } from 'preact/hooks';
import type { CohortDocument } from '../../admin/control-documents.ts';
import { parseRampForm } from '../../admin/ramp-form.ts';
import { STAGES } from '../../model.ts';
import { movement, movementInWords } from '../../wording/movement.ts';
import { newKey } from '../api.ts';
import { counted, formatRamp } from '../format.ts';
import { Field } from '../ui/field.tsx';
import { ReasonForm } from '../ui/reason-form.tsx';
import { Select } from '../ui/select.tsx';
import { STAGE_LOOKS } from '../ui/stage.ts';
import { Track } from '../ui/track.tsx';
import { useLoad } from '../use-load.ts';
import { beginStage, knownMembers, type StageBody } from './cohort-api.ts';
import { DirtyChoice } from './dirty-choice.tsx';
import { PreconditionList } from './precondition-list.tsx';
import { type Evidence, preconditions, type Thresholds } from './preconditions.ts';

export interface StageDialogProps {
  readonly cohort: CohortDocument;
  readonly evidence: Evidence;
  readonly thresholds: Thresholds;
  readonly onBegun: (change: string) => void;
  readonly onClose: () => void;
}

export function StageDialog(props: StageDialogProps) {
  const { cohort, evidence, thresholds, onBegun, onClose } = props;
  const [stage, setStage] = useState(cohort.stage);
  const [rampText, setRampText] = useState(String(cohort.ramp));
  const [dirtyUsers, setDirtyUsers] = useState<StageBody['dirtyUsers']>('drain');
  const [isAgreed, setAgreed] = useState(false);
  const key = useRequestKey();
  const ramp = parseRampForm(rampText.trim().replace(/\s+%$/u, '%').replaceAll(',', ''));
  const isSame = stage === cohort.stage && ramp === cohort.ramp;
  const moves = ramp === undefined ? [] : movement(cohort, { stage, ramp });
  const isToNew = moves.some(({ to }) => to === 'new');
  const checks = preconditions(evidence, thresholds, isToNew);
  const open = checks.filter(({ state }) => state !== 'met');
  const submit = async (reason: string): Promise<void> => {
    if (ramp === undefined) return;
    const body = { stage, ramp, reason, dirtyUsers };
    onBegun(await beginStage(cohort.name, body, key(body)));
  };
  return (
    <ReasonForm
      title={`Change the stage or the ramp of ${cohort.name}`}
      action={moves.length > 0 ? 'Move users' : 'Change'}
      onSubmit={submit}
      onClose={onClose}
      isDisabled={ramp === undefined || isSame || (open.length > 0 && moves.length > 0 && !isAgreed)}
      isWide
    >
      <div class="columns">
        <Select
          label="Stage"
          value={stage}
          options={STAGES.map((value) => ({ value, label: value }))}
          onChange={setStage}
        />
        <Field
          label="Ramp"
          value={rampText}
          onInput={setRampText}
          hint="A share such as 10%, or a number of users such as 1000."
          error={ramp === undefined ? 'Neither a share from 0% to 100% nor a number of users.' : undefined}
        />
      </div>
      <p class="unit">{STAGE_LOOKS[stage].meaning} The rest of the ramp has the stage before it.</p>
      <Track stage={cohort.stage} ramp={formatRamp(cohort.ramp)} share={undefined} goal={stage} />
      {ramp !== undefined && <Preview cohort={cohort} moves={moves} isSame={isSame} />}
      {moves.some(({ to }) => to === 'legacy') && <DirtyChoice value={dirtyUsers} onChange={setDirtyUsers} />}
      <section class="stack">
        <h3>Preconditions</h3>
        <PreconditionList items={checks} />
      </section>
      {open.length > 0 && moves.length > 0 && (
        <label class="row">
          <input
            type="checkbox"
            checked={isAgreed}
            onChange={({ currentTarget }) => setAgreed(currentTarget.checked)}
          />
          Go on although {counted(open.length, 'precondition')} {open.length === 1 ? 'is' : 'are'} not met
        </label>
      )}
    </ReasonForm>
  );
}

/** One key for one request: sent again after a lost answer it begins nothing twice; another request has another. */
export function useRequestKey(): (body: object) => string {
  const last = useRef<{ readonly text: string; readonly key: string }>(undefined);
  return (body) => {
    const text = JSON.stringify(body);
    if (last.current?.text !== text) last.current = { text, key: newKey() };
    return last.current.key;
  };
}

interface PreviewProps {
  readonly cohort: CohortDocument;
  readonly moves: ReturnType<typeof movement>;
  readonly isSame: boolean;
}

/** Who moves where, in the words of the command line. */
function Preview({ cohort, moves, isSame }: PreviewProps) {
  const { data: known } = useLoad(() => knownMembers(cohort), [cohort.name]);
  const sentence = useMemo(() => movementInWords({ ...cohort, known }, moves), [cohort, known, moves]);
  if (isSame) return <p class="note">This is what the cohort has now.</p>;
  if (moves.length === 0) {
    return (
      <p class="note">
        <span class="note-title">Nobody moves.</span> The owner of every user stays, and no write waits.
      </p>
    );
  }
  return (
    <div class="note note-warn">
      <p class="note-title">{sentence}.</p>
      <p>
        Writes of these users wait for the moment it takes. If a gateway does not follow, all of it is undone.
      </p>
    </div>
  );
}
