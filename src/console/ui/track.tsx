import { useEffect, useRef } from 'preact/hooks';
import { STAGES, type Stage } from '../../model.ts';
import { STAGE_LOOKS } from './stage.ts';

export interface TrackProps {
  readonly stage: Stage;
  /** The ramp in words: `10 %`, `1,000 users`. */
  readonly ramp: string;
  /** How much of the way from the station before the ramp has filled, 0 to 1; `undefined` where it is not known. */
  readonly share: number | undefined;
  readonly isHeld?: boolean;
  /** Where a change in progress leads. */
  readonly goal?: Stage | undefined;
}

/** A cohort's way from legacy to new: the stages as stations, and how far its ramp has come towards its own. */
export function Track({ stage, ramp, share, isHeld = false, goal }: TrackProps) {
  const here = STAGES.indexOf(stage);
  const full = share === undefined || share >= 1;
  const words = `Stage ${stage}, ramp ${ramp}${isHeld ? ', writes wait' : ''}${goal === undefined ? '' : `, on the way to ${goal}`}`;
  return (
    <div class={isHeld ? 'track track-held' : 'track'} role="img" aria-label={words}>
      <ol class="track-stations" aria-hidden="true">
        {STAGES.map((each, place) => (
          <li
            key={each}
            class={[
              'station',
              STAGE_LOOKS[each].className,
              place < here || (place === here && full) ? 'station-passed' : '',
              place === here ? 'station-here' : '',
              each === goal ? 'station-goal' : '',
            ].join(' ')}
            title={STAGE_LOOKS[each].meaning}
          >
            {place > 0 && <Rail fill={place < here ? 1 : place === here ? (share ?? 1) : 0} />}
            <span class="station-dot" />
            <span class="station-name">{each}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The piece of track before a station. Its length is set on the element: the page's policy allows no style in markup. */
function Rail({ fill }: { readonly fill: number }) {
  const element = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    element.current?.style.setProperty('width', `${Math.min(1, Math.max(0, fill)) * 100}%`);
  }, [fill]);
  return (
    <span class="rail">
      <span class="rail-fill" ref={element} />
    </span>
  );
}
