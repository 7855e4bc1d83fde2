/** What the guard did and is doing: trips, runs of ramps, and what people are still to be told. */
export const guard = `
-- Nothing is ever deleted here: it is the record of why a cohort went back.
CREATE TABLE guard_trips (
  id text PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 64),
  sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  cohort text NOT NULL,
  condition_name text NOT NULL,
  condition jsonb NOT NULL,
  action text NOT NULL CHECK (action IN ('rollback', 'hold', 'warn')),
  path text NOT NULL CHECK (path IN ('overwhelming', 'windows')),
  figures jsonb NOT NULL,
  stage text NOT NULL,
  first_bad_at timestamptz,
  tripped_at timestamptz NOT NULL DEFAULT now(),
  -- Part of the idempotency key of its change: grows when one was undone.
  attempt integer NOT NULL DEFAULT 0,
  change text,
  in_force_at timestamptz,
  note text,
  -- Of a warning or a hold: it may be repeated from now on.
  ended_at timestamptz,
  cleared_at timestamptz,
  cleared_by text,
  clear_reason text,
  notified_at timestamptz,
  CHECK ((cleared_at IS NULL) = (cleared_by IS NULL))
);
-- The compare-and-set: of all that judge at once, one adds the row.
CREATE UNIQUE INDEX guard_trips_held ON guard_trips (cohort) WHERE action = 'rollback' AND cleared_at IS NULL;
CREATE UNIQUE INDEX guard_trips_quiet ON guard_trips (cohort, condition_name)
  WHERE action <> 'rollback' AND ended_at IS NULL;
CREATE INDEX guard_trips_cohort ON guard_trips (cohort, sequence);

-- Asked for each cohort, four times a second: a job makes thousands of changes that are none of these.
CREATE INDEX cohort_changes_defined ON cohort_changes (cohort_name, sequence)
  WHERE phase = 'done' AND kind IN ('stage', 'rollback', 'cohort-create', 'cohort-edit');
CREATE INDEX cohort_changes_left ON cohort_changes (cohort_name, sequence)
  WHERE phase = 'done' AND kind IN ('members-remove', 'reassign');
CREATE INDEX guard_trips_cleared ON guard_trips (cohort, sequence) WHERE cleared_at IS NOT NULL;

CREATE TABLE ramp_runs (
  id text PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 64),
  sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  cohort text NOT NULL,
  plan jsonb NOT NULL,
  -- What the cohort has to have: another one was set by somebody else.
  stage text NOT NULL,
  from_ramp jsonb NOT NULL,
  status text NOT NULL
    CHECK (status IN ('baking', 'gated', 'waiting', 'stepping', 'paused', 'done', 'aborted')),
  step integer NOT NULL,
  step_at timestamptz,
  baked_ms bigint NOT NULL DEFAULT 0,
  compared bigint NOT NULL DEFAULT 0,
  mismatched bigint NOT NULL DEFAULT 0,
  counted_to bigint,
  attempt integer NOT NULL DEFAULT 0,
  approved boolean NOT NULL DEFAULT false,
  note text,
  actor text NOT NULL,
  reason text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  goes_since timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  -- Every update names the one that it knows.
  version bigint NOT NULL DEFAULT 1,
  CONSTRAINT ramp_runs_ended CHECK ((ended_at IS NOT NULL) = (status IN ('done', 'aborted')))
);
CREATE UNIQUE INDEX ramp_runs_open ON ramp_runs (cohort) WHERE ended_at IS NULL;
CREATE INDEX ramp_runs_cohort ON ramp_runs (cohort, sequence);

-- Written by the statement that does what people are to be told, so that none is forgotten.
CREATE TABLE guard_notices (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event text NOT NULL CHECK (event IN ('trip', 'in-force', 'cleared', 'ramp')),
  cohort text NOT NULL,
  trip text REFERENCES guard_trips (id),
  -- The run as it was then.
  ramp text REFERENCES ramp_runs (id),
  ramp_status text,
  ramp_step integer,
  ramp_note text,
  at timestamptz NOT NULL DEFAULT now(),
  takes integer NOT NULL DEFAULT 0,
  taken_at timestamptz,
  ended_at timestamptz,
  outcome text
);
CREATE INDEX guard_notices_open ON guard_notices (id) WHERE ended_at IS NULL;
`;
