export interface SparklineProps {
  /** Oldest first; `null` is a gap. */
  readonly values: readonly (number | null)[];
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  readonly width?: number;
  readonly height?: number;
  /** Where the upper edge is; the largest value unless given. */
  readonly max?: number;
  readonly className?: string;
}

/** A small line without axes: a trend, not figures. */
export function Sparkline({ values, label, width = 120, height = 28, max, className }: SparklineProps) {
  const top = Math.max(max ?? 0, ...values.map((value) => value ?? 0)) || 1;
  const step = width / Math.max(1, values.length - 1);
  let isDrawing = false;
  const path = values
    .map((value, index) => {
      const command = value === null ? '' : `${isDrawing ? 'L' : 'M'}${point(index * step, value)}`;
      isDrawing = value !== null;
      return command;
    })
    .join('');
  function point(x: number, value: number): string {
    return `${x.toFixed(1)} ${(height - 1 - (Math.max(0, value) / top) * (height - 2)).toFixed(1)}`;
  }
  return (
    <svg
      class={`sparkline ${className ?? ''}`}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      role="img"
      aria-label={label}
    >
      <path d={path} fill="none" />
    </svg>
  );
}
