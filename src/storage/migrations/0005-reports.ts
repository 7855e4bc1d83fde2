/** Mismatch reports: groups, samples, counts, rules. Everything here is bounded in rows, see `report-upkeep.ts`. */
export const reports = `
-- One row: the key under which users are hashed before they are counted. Its lock keeps the bounds exact when several
-- processes add rows at once.
CREATE TABLE report_settings (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  user_key bytea NOT NULL CHECK (octet_length(user_key) = 32),
  upkeep_at timestamptz NOT NULL DEFAULT '-infinity'
);

-- The last batch of each process, so that one that is sent again counts once.
CREATE TABLE report_batches (
  process text PRIMARY KEY,
  sequence bigint NOT NULL,
  at timestamptz NOT NULL
);

-- Pages are left half empty where rows change all the time: a new version of a row then finds room beside the old
-- one, no index has to learn of it, and what is dead is cleared away without a vacuum.
CREATE TABLE mismatch_groups (
  id text PRIMARY KEY CHECK (octet_length(id) = 16),
  signature text NOT NULL,
  route text NOT NULL,
  kind text NOT NULL,
  pattern text NOT NULL,
  types text NOT NULL,
  weight integer NOT NULL,
  raw bigint NOT NULL,
  confirmed bigint NOT NULL,
  transient bigint NOT NULL,
  flapping bigint NOT NULL,
  unconfirmed bigint NOT NULL,
  noise bigint NOT NULL,
  first_seen timestamptz NOT NULL,
  last_seen timestamptz NOT NULL,
  last_confirmed timestamptz,
  -- Totals of the route when the counts began: what has been compared since is the difference.
  compared_from bigint NOT NULL,
  noise_reads_from bigint NOT NULL,
  counted_from timestamptz NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'acknowledged', 'ignored', 'resolved')),
  status_since timestamptz NOT NULL,
  ignored_until timestamptz,
  owner text,
  note text,
  reopened integer NOT NULL DEFAULT 0,
  reopened_at timestamptz,
  CHECK ((status = 'ignored') = (ignored_until IS NOT NULL))
) WITH (fillfactor = 50);

-- Beside the groups, because they are merged in the process and are wider than all the rest.
CREATE TABLE mismatch_spread (
  group_id text PRIMARY KEY REFERENCES mismatch_groups (id) ON DELETE CASCADE,
  users bytea NOT NULL,
  cohorts jsonb NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE mismatch_samples (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  group_id text NOT NULL REFERENCES mismatch_groups (id) ON DELETE CASCADE,
  at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  verdict text NOT NULL,
  sample bytea NOT NULL
);
CREATE INDEX mismatch_samples_group ON mismatch_samples (group_id, id);

-- The audit of groups. It outlives them.
CREATE TABLE mismatch_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  group_id text NOT NULL,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  from_status text NOT NULL,
  to_status text NOT NULL,
  detail text
);
CREATE INDEX mismatch_events_group ON mismatch_events (group_id, id);

CREATE TABLE mismatch_watches (
  group_id text PRIMARY KEY REFERENCES mismatch_groups (id) ON DELETE CASCADE,
  armed_at timestamptz NOT NULL,
  actor text NOT NULL,
  compared_from bigint NOT NULL,
  raw_from bigint NOT NULL
);

-- Everything that was ever compared, by route and cohort: the denominators of shares.
CREATE TABLE comparison_totals (
  route text NOT NULL,
  cohort text NOT NULL,
  compared bigint NOT NULL,
  noise_reads bigint NOT NULL,
  PRIMARY KEY (route, cohort)
) WITH (fillfactor = 50);

CREATE TABLE comparison_counts (
  begins timestamptz NOT NULL,
  span text NOT NULL CHECK (span IN ('hour', 'day')),
  route text NOT NULL,
  cohort text NOT NULL,
  authoritative text NOT NULL CHECK (authoritative IN ('legacy', 'new')),
  compared bigint NOT NULL,
  matched bigint NOT NULL,
  covered bigint NOT NULL,
  transient bigint NOT NULL,
  confirmed bigint NOT NULL,
  flapping bigint NOT NULL,
  unconfirmed bigint NOT NULL,
  latency bytea NOT NULL,
  -- How many batches are in it; 1 says that the row was made just now.
  batches bigint NOT NULL,
  PRIMARY KEY (begins, span, route, cohort, authoritative)
) WITH (fillfactor = 50);

-- What else is counted: skipped reads by reason, noise, differences without a group.
CREATE TABLE comparison_side_counts (
  begins timestamptz NOT NULL,
  span text NOT NULL CHECK (span IN ('hour', 'day')),
  route text NOT NULL,
  cohort text NOT NULL,
  what text NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (begins, span, route, cohort, what)
) WITH (fillfactor = 50);

-- Each change of a route's rules is a row, the latest is in force: the table is its own audit.
CREATE TABLE comparison_rules (
  version bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  route text NOT NULL,
  -- JSON; NULL: the configuration's rules are in force again.
  rules text,
  actor text NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL
);
CREATE INDEX comparison_rules_route ON comparison_rules (route, version);
`;
