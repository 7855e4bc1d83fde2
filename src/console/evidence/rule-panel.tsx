/** The rule that would silence a group: proposed from its samples, tried on all stored samples of the route, saved. */
import { useState } from 'preact/hooks';
import type { GroupDocument, SampleDocument } from '../../admin/report-documents.ts';
import type { RouteRulesDocument, TrialDocument } from '../../admin/rules-routes.ts';
import { type ApiProblem, sendJson } from '../api.ts';
import { problemOf } from '../problem-of.ts';
import { useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';
import { Panel } from '../ui/page.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ReasonForm } from '../ui/reason-form.tsx';
import { Empty, Loading } from '../ui/states.tsx';
import type { RuleProposal } from './rule-drafts.ts';
import { RuleTrial } from './rule-trial.tsx';
import { ShownText } from './shown-text.tsx';
import { silencingRules } from './silencing-rules.ts';

export interface RulePanelProps {
  readonly group: GroupDocument;
  readonly samples: readonly SampleDocument[];
  readonly rules: RouteRulesDocument | undefined;
  readonly problem: ApiProblem | undefined;
  readonly onSaved: () => void;
}

export function RulePanel({ group, samples, rules, problem, onSaved }: RulePanelProps) {
  return (
    <Panel
      title="The rule that would silence it"
      aside={
        rules === undefined
          ? undefined
          : `rules of the route: version ${rules.version}, ${sourceInWords(rules)}`
      }
    >
      {problem !== undefined && <ProblemNote problem={problem} />}
      {rules === undefined && problem === undefined && <Loading what="the rules of the route" />}
      {rules !== undefined && (
        <Rules key={rules.version} group={group} samples={samples} rules={rules} onSaved={onSaved} />
      )}
    </Panel>
  );
}

function sourceInWords({ source }: RouteRulesDocument): string {
  switch (source) {
    case 'run-time':
      return 'saved at run time';
    case 'configuration':
      return 'of the configuration';
    default:
      return 'none: everything has to be the same';
  }
}

function routePath(route: string): string {
  return `/api/v1/routes/${encodeURIComponent(route)}/rules`;
}

type RulesProps = Required<Omit<RulePanelProps, 'problem' | 'rules'>> & {
  readonly rules: RouteRulesDocument;
};

/** The rules that were tried, as text, and what came of it. */
interface Trial {
  readonly text: string;
  readonly result: TrialDocument;
}

function Rules({ group, samples, rules, onSaved }: RulesProps) {
  const { mayAct } = useSession();
  const may = mayAct('operator');
  const [text, setText] = useState(() => textOf(rules.rules));
  const [trial, setTrial] = useState<Trial>();
  const [problem, setProblem] = useState<ApiProblem>();
  const [isBusy, setBusy] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const proposals = silencingRules(group, samples, rules.rules);
  const parsed = parsedRules(text);
  const isChanged = text.trim() !== textOf(rules.rules);

  const tryOut = (wanted: string): void => {
    const written = parsedRules(wanted);
    if (written === undefined || isBusy) return;
    setText(wanted);
    setBusy(true);
    setProblem(undefined);
    setTrial(undefined);
    sendJson<TrialDocument>('POST', `${routePath(group.route)}/try`, { rules: written })
      .then(
        (result) => setTrial({ text: wanted, result }),
        (error: unknown) => setProblem(problemOf(error)),
      )
      .finally(() => setBusy(false));
  };
  const save = async (reason: string): Promise<void> => {
    const body = { rules: parsed, reason, expectedVersion: rules.version };
    await sendJson('PUT', routePath(group.route), body);
    onSaved();
  };
  const tried = trial?.text === text ? trial.result : undefined;
  return (
    <div class="stack">
      <Proposals
        proposals={proposals}
        chosen={text}
        mayTry={may}
        isBusy={isBusy}
        onTry={(proposal) => tryOut(textOf(proposal.rules))}
      />
      {may && (
        <Field
          label="Rules of the route"
          value={text}
          onInput={setText}
          rows={Math.min(16, text.split('\n').length + 1)}
          isMonospaced
          hint="All of them, as JSON, with the keys that “compare” has in the configuration."
          error={parsed === undefined ? 'This is no JSON object.' : undefined}
        />
      )}
      {may && (
        <div class="row">
          <Button isBusy={isBusy} isDisabled={parsed === undefined} onClick={() => tryOut(text)}>
            Try on stored samples
          </Button>
          <Button
            look="primary"
            isDisabled={tried === undefined || !isChanged}
            title={tried === undefined ? 'Try them first.' : undefined}
            onClick={() => setSaving(true)}
          >
            Save these rules …
          </Button>
          {isChanged && (
            <Button look="quiet" onClick={() => setText(textOf(rules.rules))}>
              Back to those in force
            </Button>
          )}
        </div>
      )}
      {problem !== undefined && <ProblemNote problem={problem} />}
      {tried !== undefined && <RuleTrial trial={tried} group={group} />}
      {isSaving && (
        <ReasonForm title="Save the rules" action="Save" onSubmit={save} onClose={() => setSaving(false)}>
          <p>
            They take the place of version {rules.version} of the route’s rules, in every gateway within five
            seconds. The groups that they silence gain no more reads; resolve those that are done.
          </p>
        </ReasonForm>
      )}
    </div>
  );
}

function textOf(rules: unknown): string {
  return JSON.stringify(rules, undefined, 2);
}

/** @returns `undefined` for what is no JSON object */
function parsedRules(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

interface ProposalsProps {
  readonly proposals: readonly RuleProposal[];
  /** The rules in the editor. */
  readonly chosen: string;
  readonly mayTry: boolean;
  readonly isBusy: boolean;
  readonly onTry: (proposal: RuleProposal) => void;
}

function Proposals({ proposals, chosen, mayTry, isBusy, onTry }: ProposalsProps) {
  if (proposals.length === 0) {
    return (
      <Empty title="No rule silences this">
        It is a failure, or its place cannot be said in a rule. Ignore the group for a time instead.
      </Empty>
    );
  }
  return (
    <ul class="proposals">
      {proposals.map((proposal) => {
        const isChosen = textOf(proposal.rules) === chosen;
        return (
          <li key={proposal.label} class={isChosen ? 'proposal proposal-chosen' : 'proposal'}>
            <span>
              <code>
                <ShownText text={proposal.label} charactersMax={200} />
              </code>
              <span class="unit cell-line">{proposal.says}</span>
            </span>
            {mayTry && (
              <Button
                isDisabled={isBusy}
                isPressed={isChosen}
                label={`Try ${proposal.label}`}
                onClick={() => onTry(proposal)}
              >
                Try
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}
