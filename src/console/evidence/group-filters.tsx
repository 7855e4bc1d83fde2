/** What of the groups is shown. Everything chosen here stands in the address. */
import type { CoverageDocument } from '../../admin/evidence-documents.ts';
import { getJson } from '../api.ts';
import { useLive } from '../live.ts';
import { Button } from '../ui/button.tsx';
import { Select } from '../ui/select.tsx';
import { useLoad } from '../use-load.ts';
import { plainText } from './bounded-text.ts';
import { type GroupFilters, JUDGEMENTS, SORTS, STATUSES, toggled } from './group-query.ts';
import { judgementMeans } from './group-words.ts';

export interface GroupFiltersPanelProps {
  readonly filters: GroupFilters;
  /** How many groups there are of each judgement. */
  readonly judged: Readonly<Record<string, number>> | undefined;
  readonly onChange: (filters: GroupFilters) => void;
}

const LABEL_CHARACTERS = 60;
const DAYS = 90;

export function GroupFiltersPanel({ filters, judged, onChange }: GroupFiltersPanelProps) {
  const { statuses, judgements, route, cohort, sort } = filters;
  return (
    <div class="filters" role="group" aria-label="Filters">
      <Toggles
        label="Status"
        words={STATUSES}
        chosen={statuses}
        onChange={(chosen) => onChange({ ...filters, statuses: chosen })}
      />
      <Toggles
        label="Judged"
        words={JUDGEMENTS}
        chosen={judgements}
        counts={judged}
        meaning={judgementMeans}
        onChange={(chosen) => onChange({ ...filters, judgements: chosen })}
      />
      <RouteSelect route={route} onChange={(chosen) => onChange({ ...filters, route: chosen })} />
      <CohortSelect cohort={cohort} onChange={(chosen) => onChange({ ...filters, cohort: chosen })} />
      <Select
        label="Order"
        value={sort}
        options={SORTS.map((one) => ({ value: one.sort, label: one.label }))}
        onChange={(chosen) => onChange({ ...filters, sort: chosen })}
      />
    </div>
  );
}

interface TogglesProps {
  readonly label: string;
  readonly words: readonly string[];
  readonly chosen: readonly string[];
  readonly counts?: Readonly<Record<string, number>> | undefined;
  readonly meaning?: (word: string) => string | undefined;
  readonly onChange: (chosen: readonly string[]) => void;
}

function Toggles({ label, words, chosen, counts, meaning, onChange }: TogglesProps) {
  return (
    <div class="field" role="group" aria-label={label}>
      <span class="filter-label">{label}</span>
      <div class="toggles">
        {words.map((word) => (
          <Button
            key={word}
            isPressed={chosen.includes(word)}
            title={meaning?.(word)}
            onClick={() => onChange(toggled(chosen, word))}
          >
            {word}
            {counts?.[word] !== undefined && <span class="unit"> {counts[word]}</span>}
          </Button>
        ))}
      </div>
    </div>
  );
}

const ANY = { value: '', label: 'any' };

interface RouteSelectProps {
  readonly route: string | undefined;
  readonly onChange: (route: string | undefined) => void;
}

function RouteSelect({ route, onChange }: RouteSelectProps) {
  const { data } = useLoad(() => getJson<CoverageDocument>(`/api/v1/coverage?days=${DAYS}`), []);
  const names = new Set([
    ...(data?.rows ?? []).map((row) => row.route),
    ...(route === undefined ? [] : [route]),
  ]);
  return <NameSelect label="Route" name={route} names={names} onChange={onChange} />;
}

interface CohortSelectProps {
  readonly cohort: string | undefined;
  readonly onChange: (cohort: string | undefined) => void;
}

export function CohortSelect({ cohort, onChange }: CohortSelectProps) {
  const { status } = useLive();
  const names = new Set([
    ...(status?.cohorts ?? []).map(({ name }) => name),
    ...(cohort === undefined ? [] : [cohort]),
  ]);
  return <NameSelect label="Cohort" name={cohort} names={names} onChange={onChange} />;
}

interface NameSelectProps {
  readonly label: string;
  readonly name: string | undefined;
  readonly names: ReadonlySet<string>;
  readonly onChange: (name: string | undefined) => void;
}

function NameSelect({ label, name, names, onChange }: NameSelectProps) {
  const options = [...names].sort().map((value) => ({ value, label: plainText(value, LABEL_CHARACTERS) }));
  return (
    <Select
      label={label}
      value={name ?? ''}
      options={[ANY, ...options]}
      onChange={(chosen) => onChange(chosen === '' ? undefined : chosen)}
    />
  );
}
