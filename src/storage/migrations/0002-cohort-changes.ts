/** Changes of cohorts, open ones and past ones, and the registry of gateways. */
export const cohortChanges = `
-- A cohort's change from the wish to its outcome. A table of its own beside \`changes\`: that one is only added
-- to, and a row here moves from phase to phase while a controller works on it. Nothing is ever deleted, so
-- both together are the audit.
CREATE TABLE cohort_changes (
  id text PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 64),
  -- The order in which changes were opened, for paging.
  sequence bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  kind text NOT NULL CHECK (kind IN ('stage')),
  cohort integer NOT NULL REFERENCES cohorts (number),
  before jsonb NOT NULL,
  after jsonb NOT NULL,
  moves_truth boolean NOT NULL,
  needs_every_gateway boolean NOT NULL,
  phase text NOT NULL
    CHECK (phase IN ('pending', 'holding', 'switching', 'releasing', 'done', 'undoing', 'undone')),
  actor text NOT NULL,
  reason text NOT NULL,
  idempotency_key text UNIQUE CHECK (octet_length(idempotency_key) BETWEEN 1 AND 128),
  -- Grows with each controller that takes the change. Every statement of a controller names it.
  token bigint NOT NULL DEFAULT 1,
  heartbeat bigint NOT NULL DEFAULT 1,
  hold_epoch bigint,
  switch_epoch bigint,
  release_epoch bigint,
  note text,
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  CONSTRAINT cohort_changes_ended CHECK ((ended_at IS NOT NULL) = (phase IN ('done', 'undone'))),
  CONSTRAINT cohort_changes_held CHECK
    (NOT moves_truth OR hold_epoch IS NOT NULL OR phase NOT IN ('switching', 'releasing', 'done')),
  CONSTRAINT cohort_changes_released CHECK (NOT moves_truth OR release_epoch IS NOT NULL OR phase <> 'done')
);
CREATE UNIQUE INDEX cohort_changes_open ON cohort_changes (cohort) WHERE ended_at IS NULL;
CREATE INDEX cohort_changes_cohort ON cohort_changes (cohort, sequence);

-- Gateways that may be serving. A wiped Redis must not forget one.
CREATE TABLE gateways (
  id text PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 256),
  location text NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT now()
);
`;
