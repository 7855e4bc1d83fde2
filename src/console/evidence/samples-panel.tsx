/** Stored pairs of answers, one at a time: what was asked, how long each side took, and both answers. */
import { useState } from 'preact/hooks';
import type { GroupDocument, SampleDocument } from '../../admin/report-documents.ts';
import type { RulesWritten } from '../../comparison/rules-written.ts';
import { formatDuration } from '../format.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Time } from '../ui/figures.tsx';
import { KeyHint } from '../ui/key-hint.tsx';
import { Panel } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { AnswersView } from './answers-view.tsx';
import { changedInWords, sidesOf } from './group-words.ts';
import { DifferingText, ShownText } from './shown-text.tsx';
import { useKeys } from './use-keys.ts';

export interface SamplesPanelProps {
  readonly group: GroupDocument;
  readonly samples: readonly SampleDocument[];
  /** Of the route, as they are now; `undefined` while they are not known. */
  readonly rules: RulesWritten | undefined;
}

export function SamplesPanel({ group, samples, rules }: SamplesPanelProps) {
  const [at, setAt] = useState(0);
  const shown = samples[Math.min(at, samples.length - 1)];
  useKeys({
    n: () => setAt(Math.min(samples.length - 1, at + 1)),
    p: () => setAt(Math.max(0, at - 1)),
  });
  if (shown === undefined) {
    return (
      <Panel title="Samples">
        <Empty title="No pair of answers is stored">
          Samples expire, and of a busy gateway not every one is taken.
        </Empty>
      </Panel>
    );
  }
  return (
    <Panel
      title="Samples"
      aside={
        <>
          {samples.map((sample, index) => (
            <Button
              key={`${sample.at} ${index}`}
              isPressed={sample === shown}
              label={`Sample ${index + 1} of ${samples.length}`}
              onClick={() => setAt(index)}
            >
              {index + 1}
            </Button>
          ))}
          <KeyHint keys={['n', 'p']} does="next, previous" />
        </>
      }
    >
      <Sample key={`${group.id} ${at}`} group={group} sample={shown} rules={rules} />
    </Panel>
  );
}

interface SampleProps {
  readonly group: GroupDocument;
  readonly sample: SampleDocument;
  readonly rules: RulesWritten | undefined;
}

function Sample({ group, sample, rules }: SampleProps) {
  const { request, cohort, verdict, at, expiresAt } = sample;
  return (
    <div class="stack">
      <p class="row">
        <code class="request-line">
          {request.method} <ShownText text={request.target} />
        </code>
        <Badge tone={verdict === 'confirmed' ? 'bad' : 'calm'}>{verdict}</Badge>
        <span class="unit">
          <Time at={at} />
          {cohort !== null && (
            <>
              , cohort <ShownText text={cohort} charactersMax={60} />
            </>
          )}
          , kept until <Time at={expiresAt} />
        </span>
      </p>
      {request.changed !== null && (
        <p class="unit">It cannot be sent again as it was: {changedInWords(request.changed)}.</p>
      )}
      <LatencyPair sample={sample} />
      <Differences group={group} sample={sample} />
      <AnswersView group={group} sample={sample} rules={rules} />
    </div>
  );
}

const BAR_WIDTH = 240;

function LatencyPair({ sample }: { readonly sample: SampleDocument }) {
  const { authoritative, secondary } = sample.answers;
  const [served, other] = sidesOf(sample.authoritative);
  const longest = Math.max(authoritative.durationMs ?? 0, secondary.durationMs ?? 0, 0.001);
  return (
    <dl class="latency-pair">
      {[
        { side: served, ms: authoritative.durationMs, note: 'served the user' },
        { side: other, ms: secondary.durationMs, note: 'shadow read' },
      ].map(({ side, ms, note }) => (
        <div key={side} class="row">
          <dt class={`text-${side}`}>{side}</dt>
          <dd>
            <svg class={`text-${side}`} width={BAR_WIDTH} height={10} role="presentation">
              <rect width={((ms ?? 0) / longest) * BAR_WIDTH} height={10} fill="currentColor" />
            </svg>
            <span class="figure">{ms === null ? 'not measured' : formatDuration(ms)}</span>{' '}
            <span class="unit">{note}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const DIFFERENCES_SHOWN = 20;

function Differences({ group, sample }: Omit<SampleProps, 'rules'>) {
  const [isAll, setAll] = useState(false);
  const { differences } = sample;
  const [served, other] = sidesOf(sample.authoritative);
  const shown = isAll ? differences : differences.slice(0, DIFFERENCES_SHOWN);
  return (
    <section class="pair-frame" aria-label="What differs in this sample" tabIndex={0}>
      <table class="pair">
        <caption class="unseen">What differs in this sample</caption>
        <thead>
          <tr>
            <th scope="col">Place</th>
            <th scope="col" class={`text-${served}`}>
              {served}, served the user
            </th>
            <th scope="col" class={`text-${other}`}>
              {other}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ path, where, kind, left, right }, at) => {
            const isOfGroup = where === group.where && kind === group.kind;
            const [one, two] = [shownValue(left), shownValue(right)];
            return (
              <tr key={at} class={isOfGroup ? 'pair-group' : 'pair-other'}>
                <th scope="row">
                  <ShownText text={path} charactersMax={160} />
                  <span class="unit cell-line">
                    {kind}
                    {isOfGroup ? ', of this group' : ''}
                  </span>
                </th>
                <td class="pair-left">
                  <DifferingText text={one} other={two} side="left" />
                </td>
                <td class="pair-right">
                  <DifferingText text={two} other={one} side="right" />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {differences.length > shown.length && (
        <Button onClick={() => setAll(true)}>Show all {differences.length} differences</Button>
      )}
    </section>
  );
}

function shownValue({ type, value }: SampleDocument['differences'][number]['left']): string {
  return type === 'absent' ? 'absent' : (JSON.stringify(value) ?? 'absent');
}
