/** Several series over time, drawn by uPlot, with marks for what happened. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useTheme } from '../theme.ts';

export interface ChartSeries {
  readonly label: string;
  /** A CSS variable: `--legacy`. */
  readonly color: string;
  /** One for each of `times`; `null` is a gap. */
  readonly values: readonly (number | null)[];
  /** So that series can be told apart without their colours. */
  readonly isDashed?: boolean;
}

export interface ChartMarker {
  /** Seconds since 1970. */
  readonly at: number;
  readonly label: string;
  /** A CSS variable. */
  readonly color?: string;
}

export interface ChartProps {
  /** What it shows, with the unit; the heading of the chart. */
  readonly title: string;
  /** Seconds since 1970, rising. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly format: (value: number) => string;
  readonly markers?: readonly ChartMarker[];
  /** The upper edge is here at least, so that noise does not look like news. */
  readonly top?: number;
  /** Pixels, of the drawing. */
  readonly height?: number;
  /** Charts with the same one point at the same moment. */
  readonly group?: string;
  /** The first and last second of the axis; those of `times` unless given. */
  readonly range?: readonly [from: number, to: number] | undefined;
}

export function Chart(props: ChartProps) {
  const { title, times, series, format, markers = [], top = 0, height = 120, group, range } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  // What is drawn with on every frame: the plot is made once, and reads these.
  const drawn = useRef({ markers, range, format, top });
  drawn.current = { markers, range, format, top };
  const theme = useTheme();
  const shape = series
    .map(({ label, color, isDashed }) => `${label}|${color}|${isDashed === true}`)
    .join('\n');

  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const width = (): number => Math.max(80, element.clientWidth);
    const made = new uPlot(optionsOf(element, series, drawn, width(), height, group), [[]], element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: width(), height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, height, group, theme]);

  useEffect(() => {
    plot.current?.setData([[...times], ...series.map(({ values }) => [...values])]);
  }, [times, series, markers, range, shape, height, group, theme]);

  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={frame} role="img" aria-label={inWords(props)} />
    </figure>
  );
}

interface Drawn {
  readonly current: Required<Pick<ChartProps, 'markers' | 'format' | 'top'>> & Pick<ChartProps, 'range'>;
}

function optionsOf(
  element: HTMLElement,
  series: readonly ChartSeries[],
  drawn: Drawn,
  width: number,
  height: number,
  group: string | undefined,
): uPlot.Options {
  const style = getComputedStyle(element);
  const colorOf = (name: string): string => style.getPropertyValue(name).trim();
  const grid = { stroke: colorOf('--line'), width: 1 };
  const axis = { stroke: colorOf('--ink-soft'), font: '11px system-ui, sans-serif', grid, ticks: grid };
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    cursor: { drag: { x: false, y: false }, ...(group === undefined ? {} : { sync: { key: group } }) },
    scales: {
      x: { time: true, range: (_plot, min, max) => [...(drawn.current.range ?? [min, max])] },
      y: { range: (_plot, _min, max) => [0, Math.max(drawn.current.top, (max ?? 0) * 1.1) || 1] },
    },
    axes: [
      { ...axis, size: 28, space: 60, values: (_plot, marks) => marks.map(clock) },
      {
        ...axis,
        size: 64,
        values: (_plot, marks) => marks.map((value) => drawn.current.format(value)),
      },
    ],
    series: [
      { value: (_plot, at) => (at === null ? '' : clock(at)), label: 'Time' },
      ...series.map(({ label, color, isDashed }) => ({
        label,
        stroke: colorOf(color),
        width: 1.5,
        ...(isDashed === true ? { dash: [5, 4] } : {}),
        points: { show: false },
        value: (_plot: uPlot, value: number | null) => (value === null ? '–' : drawn.current.format(value)),
      })),
    ],
    hooks: { draw: [(made) => drawMarkers(made, drawn.current.markers, colorOf)] },
  };
}

function drawMarkers(plot: uPlot, markers: readonly ChartMarker[], colorOf: (name: string) => string): void {
  const { ctx, bbox } = plot;
  const { min, max } = plot.scales['x'] ?? {};
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.lineWidth = devicePixelRatio;
  for (const { at, label, color = '--ink' } of markers) {
    if (at < (min ?? 0) || at > (max ?? 0)) continue;
    const x = Math.round(plot.valToPos(at, 'x', true));
    ctx.strokeStyle = colorOf(color);
    ctx.fillStyle = colorOf(color);
    ctx.beginPath();
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const isLate = x > bbox.left + bbox.width * 0.7;
    ctx.textAlign = isLate ? 'right' : 'left';
    ctx.fillText(label, x + (isLate ? -4 : 4) * devicePixelRatio, bbox.top + 10 * devicePixelRatio);
  }
  ctx.restore();
}

function clock(at: number): string {
  const whole = new Date(at * 1_000).toLocaleTimeString('en-GB');
  return whole.endsWith(':00') ? whole.slice(0, -3) : whole;
}

/** The last value of each series, for those who cannot see the drawing. */
function inWords({ title, series, format }: ChartProps): string {
  const last = series.map(({ label, values }) => {
    const value = values.findLast((each) => each !== null) ?? null;
    return `${label} ${value === null ? 'unknown' : format(value)}`;
  });
  return `${title}. Last: ${last.join(', ')}.`;
}
