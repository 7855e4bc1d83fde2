/** The state map's record: its identity, cohorts, users, and the audit of changes. */
export const stateMap = `
-- The identity of the state map. Exactly one row is current; the others are maps that were replaced.
CREATE TABLE state_map (
  id text PRIMARY KEY,
  -- The record's own count of changes. Each user row carries the one that wrote it.
  version bigint NOT NULL,
  -- The highest epoch that is known to be in force.
  epoch bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  retired_at timestamptz
);
CREATE UNIQUE INDEX state_map_current ON state_map ((true)) WHERE retired_at IS NULL;

CREATE TABLE cohorts (
  -- Stands for the cohort in every user record, so it is never used again, not even for the same name.
  number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  -- The order in which rules are tried.
  position integer NOT NULL,
  definition jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);
CREATE UNIQUE INDEX cohorts_name ON cohorts (name) WHERE deleted_at IS NULL;

CREATE TABLE users (
  -- UTF-8. Bytes, because a user is an opaque key and may hold what text columns refuse.
  key bytea PRIMARY KEY CHECK (octet_length(key) BETWEEN 1 AND 256),
  state text CHECK (state IN ('migrating', 'migrated', 'failed')),
  pin text CHECK (pin IN ('legacy', 'new')),
  cohort integer REFERENCES cohorts (number),
  ordinal bigint CHECK (ordinal >= 0),
  membership_by text CHECK (membership_by IN ('explicit', 'rule')),
  new_id text,
  version bigint NOT NULL,
  -- The epoch of the change that put the row in force in the state map; NULL until that is known.
  epoch bigint,
  changed_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((cohort IS NULL) = (membership_by IS NULL)),
  CHECK (ordinal IS NULL OR membership_by = 'explicit')
);
CREATE INDEX users_unconfirmed ON users (version) WHERE epoch IS NULL;
CREATE INDEX users_cohort ON users (cohort, ordinal);

-- The audit: who, when, from, to, why. Rows are only added; the epoch is filled in once, when it is known.
CREATE TABLE changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  map text NOT NULL REFERENCES state_map (id),
  version bigint NOT NULL,
  epoch bigint,
  actor text NOT NULL,
  reason text NOT NULL,
  kind text NOT NULL,
  -- The cohort's name or the user's key.
  subject bytea,
  before jsonb,
  after jsonb
);
CREATE INDEX changes_version ON changes (version);
CREATE INDEX changes_subject ON changes (subject, id);
`;
