/** Starts a plan: one of the configuration, or one that is written here. */
import { useState } from 'preact/hooks';
import type { PlanDocument } from '../../admin/ramp-documents.ts';
import { gatesInWords, stepsInWords } from '../../wording/ramp-in-words.ts';
import { sendJson } from '../api.ts';
import { Field } from '../ui/field.tsx';
import { ReasonForm } from '../ui/reason-form.tsx';
import { Select } from '../ui/select.tsx';
import { cohortPath } from './cohort-api.ts';
import { PLAN_FIELDS, type PlanFields, readPlan } from './plan-form.ts';

/** No name of a plan: names are not empty. */
const OWN = '';

export interface PlanDialogProps {
  readonly cohort: string;
  readonly plans: Readonly<Record<string, PlanDocument>>;
  readonly onStarted: () => void;
  readonly onClose: () => void;
}

export function PlanDialog({ cohort, plans, onStarted, onClose }: PlanDialogProps) {
  const names = Object.keys(plans);
  const [name, setName] = useState(names[0] ?? OWN);
  const [fields, setFields] = useState(PLAN_FIELDS);
  const known = Object.hasOwn(plans, name) ? plans[name] : undefined;
  const { plan: own, problems } = readPlan(fields);
  const submit = async (reason: string): Promise<void> => {
    const plan = known === undefined ? own : name;
    await sendJson('POST', `${cohortPath(cohort)}/ramp`, { action: 'start', plan, reason });
    onStarted();
  };
  return (
    <ReasonForm
      title={`Start a ramp plan of ${cohort}`}
      action="Start the plan"
      onSubmit={submit}
      onClose={onClose}
      isDisabled={known === undefined && own === undefined}
      isWide
    >
      {names.length > 0 && (
        <Select
          label="Plan"
          value={name}
          options={[
            ...names.map((value) => ({ value, label: `${value}: ${stepsOf(plans, value)}` })),
            { value: OWN, label: 'another one, written here' },
          ]}
          onChange={setName}
        />
      )}
      {known === undefined ? (
        <OwnPlan
          fields={fields}
          problems={problems ?? {}}
          onChange={(changes) => setFields((before) => ({ ...before, ...changes }))}
        />
      ) : (
        <p class="note">
          {known.automatic ? 'By itself' : 'A person approves each step'}; gates: {gatesInWords(known)}.
        </p>
      )}
      <p class="note note-warn">
        The first step is taken at once: its users move to new. Each further one waits for its time, its gates
        {(known ?? fields).automatic ? '' : ' and a person'}. When the guard trips, the plan stops.
      </p>
    </ReasonForm>
  );
}

function stepsOf(plans: Readonly<Record<string, PlanDocument>>, name: string): string {
  const plan = plans[name];
  return plan === undefined ? '' : stepsInWords(plan);
}

interface OwnPlanProps {
  readonly fields: PlanFields;
  readonly problems: Partial<Record<keyof PlanFields, string>>;
  readonly onChange: (changes: Partial<PlanFields>) => void;
}

function OwnPlan({ fields, problems, onChange }: OwnPlanProps) {
  return (
    <div class="stack">
      <Field
        label="Steps"
        value={fields.steps}
        onInput={(steps) => onChange({ steps })}
        hint="Numbers of users first, shares after them: 100, 1000, 10%, 100%"
        error={problems.steps}
      />
      <div class="columns">
        <Field
          label="Each stays, minutes"
          value={fields.bakeMinutes}
          onInput={(bakeMinutes) => onChange({ bakeMinutes })}
          error={problems.bakeMinutes}
        />
        <Field
          label="Mismatches surely at most, % of reads"
          value={fields.mismatchPercentMax}
          onInput={(mismatchPercentMax) => onChange({ mismatchPercentMax })}
          hint="Empty: no gate"
          error={problems.mismatchPercentMax}
        />
        <Field
          label="Compared reads, at least"
          value={fields.comparedMin}
          onInput={(comparedMin) => onChange({ comparedMin })}
          hint="Empty: no gate"
          error={problems.comparedMin}
        />
        <Select
          label="The guard"
          value={fields.guard}
          options={[
            { value: 'healthy', label: 'says healthy' },
            { value: 'not-tripped', label: 'did not trip' },
            { value: 'any', label: 'does not matter' },
          ]}
          onChange={(guard) => onChange({ guard })}
        />
      </div>
      <label class="row">
        <input
          type="checkbox"
          checked={fields.automatic}
          onChange={({ currentTarget }) => onChange({ automatic: currentTarget.checked })}
        />
        Take each step without asking a person
      </label>
    </div>
  );
}
