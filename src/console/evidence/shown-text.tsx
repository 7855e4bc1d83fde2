/** Text from backends. It is never markup, never longer than its bound, and hides nothing. */
import { useState } from 'preact/hooks';
import { counted } from '../format.ts';
import { type BoundedText, boundedText, differingPart, markedText } from './bounded-text.ts';

function Parts({ parts }: Pick<BoundedText, 'parts'>) {
  return (
    <>
      {parts.map(({ kind, text }, at) =>
        kind === 'plain' ? (
          text
        ) : (
          <span key={at} class="unseen-mark" title={`the character ${text}, which is not shown`}>
            {text}
          </span>
        ),
      )}
    </>
  );
}

export interface ShownTextProps {
  readonly text: string;
  readonly charactersMax?: number;
}

const SHORT_CHARACTERS = 400;
const LONG_CHARACTERS = 20_000;

/** On one line or several; the rest of a long one on demand, up to a second bound. */
export function ShownText({ text, charactersMax = SHORT_CHARACTERS }: ShownTextProps) {
  const [isLong, setLong] = useState(false);
  const { parts, after } = boundedText(text, isLong ? LONG_CHARACTERS : charactersMax);
  return (
    <bdi class="shown-text" dir="ltr">
      <Parts parts={parts} />
      <More left={after} isLong={isLong} onMore={() => setLong(true)} />
    </bdi>
  );
}

interface MoreProps {
  readonly left: number;
  readonly isLong: boolean;
  readonly onMore: () => void;
}

function More({ left, isLong, onMore }: MoreProps) {
  if (left === 0) return null;
  const words = `${counted(left, 'more character')}`;
  if (isLong) return <span class="unit"> … {words}</span>;
  return (
    <button type="button" class="more-text" onClick={onMore}>
      … {words}
    </button>
  );
}

export interface DifferingTextProps {
  readonly text: string;
  /** Of the other side. */
  readonly other: string;
  readonly side: 'left' | 'right';
}

/** One side of two texts that differ, with what differs marked. */
export function DifferingText({ text, other, side }: DifferingTextProps) {
  const [isLong, setLong] = useState(false);
  const [left, right] = side === 'left' ? [text, other] : [other, text];
  const { begin, leftEnd, rightEnd } = differingPart(left, right);
  const end = side === 'left' ? leftEnd : rightEnd;
  const { before, marked, after } = markedText(text, begin, end, isLong ? LONG_CHARACTERS : SHORT_CHARACTERS);
  return (
    <bdi class="shown-text" dir="ltr">
      {before.before > 0 && <span class="unit">… </span>}
      <Parts parts={before.parts} />
      {marked.parts.length > 0 && (
        <mark>
          <Parts parts={marked.parts} />
        </mark>
      )}
      <Parts parts={after.parts} />
      <More left={marked.after + after.after} isLong={isLong} onMore={() => setLong(true)} />
    </bdi>
  );
}
