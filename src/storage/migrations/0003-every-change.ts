/** Changes of every kind: of cohorts and of users, what they claim, and whose writes they found in `new` only. */
export const everyChange = `
ALTER TABLE cohort_changes DROP CONSTRAINT cohort_changes_kind_check;
ALTER TABLE cohort_changes ADD CONSTRAINT cohort_changes_kind CHECK (kind IN
  ('stage', 'rollback', 'cohort-create', 'cohort-edit', 'cohort-delete',
   'pin', 'unpin', 'members-add', 'members-remove', 'reassign'));
ALTER TABLE cohort_changes ALTER COLUMN cohort DROP NOT NULL;
ALTER TABLE cohort_changes ALTER COLUMN before DROP NOT NULL;
ALTER TABLE cohort_changes ALTER COLUMN after DROP NOT NULL;
-- A cohort has a name before it has a number, and a change of it stays when it is deleted.
ALTER TABLE cohort_changes ADD COLUMN cohort_name text;
UPDATE cohort_changes SET cohort_name = (SELECT name FROM cohorts WHERE number = cohort_changes.cohort);
-- New definitions of other cohorts: name and definition.
ALTER TABLE cohort_changes ADD COLUMN others jsonb;
-- The names of all cohorts in the new order of their rules.
ALTER TABLE cohort_changes ADD COLUMN cohort_order jsonb;
ALTER TABLE cohort_changes ADD COLUMN user_key bytea;
ALTER TABLE cohort_changes ADD COLUMN pin text CHECK (pin IN ('legacy', 'new'));
ALTER TABLE cohort_changes ADD COLUMN users integer NOT NULL DEFAULT 0;
ALTER TABLE cohort_changes ADD COLUMN job text CHECK (octet_length(job) BETWEEN 1 AND 64);
ALTER TABLE cohort_changes ADD COLUMN dirty_policy text NOT NULL DEFAULT 'drain'
  CHECK (dirty_policy IN ('drain', 'keep', 'force'));
ALTER TABLE cohort_changes ADD COLUMN dirty integer NOT NULL DEFAULT 0;
ALTER TABLE cohort_changes ADD COLUMN restarts integer NOT NULL DEFAULT 0;
-- Of the users' records that it has written.
ALTER TABLE cohort_changes ADD COLUMN version bigint;
CREATE INDEX cohort_changes_name ON cohort_changes (cohort_name, sequence);
CREATE INDEX cohort_changes_unfinished ON cohort_changes (sequence) WHERE ended_at IS NULL;
DROP INDEX cohort_changes_cohort;
DROP INDEX cohort_changes_open;

-- What a change has to itself while it is open; its rows go when it is over. That no two claim one cohort unless both
-- share it is seen to under a lock of the cohort's row (open-change.ts).
CREATE TABLE change_cohorts (
  change text NOT NULL REFERENCES cohort_changes (id),
  cohort text NOT NULL,
  claim text NOT NULL CHECK (claim IN ('held', 'own', 'shared')),
  PRIMARY KEY (change, cohort)
);
CREATE UNIQUE INDEX change_cohorts_claimed ON change_cohorts (cohort) WHERE claim <> 'shared';
CREATE INDEX change_cohorts_cohort ON change_cohorts (cohort);
INSERT INTO change_cohorts (change, cohort, claim)
  SELECT id, cohort_name, 'held' FROM cohort_changes WHERE ended_at IS NULL;

-- A user is in one open change at the most.
CREATE TABLE change_users (
  key bytea PRIMARY KEY,
  change text NOT NULL,
  -- Its place in the order in which members are added.
  place integer NOT NULL
);
CREATE INDEX change_users_change ON change_users (change, place);

-- Users whose writes were in \`new\` only when a change would have moved them back: kept there, or stranded.
CREATE TABLE change_dirty (
  change text NOT NULL REFERENCES cohort_changes (id),
  key bytea NOT NULL,
  stranded boolean NOT NULL,
  PRIMARY KEY (change, key)
);

-- An audit row that a change wrote has its epoch from there. Nothing is ever deleted that these rows refer to, and to
-- check that for each of the thousands that a batch adds costs more than to write them.
ALTER TABLE changes ADD COLUMN change text;
ALTER TABLE changes DROP CONSTRAINT changes_map_fkey;
CREATE INDEX changes_change ON changes (change, subject) WHERE change IS NOT NULL;
DROP INDEX changes_version;
CREATE INDEX changes_version ON changes (version) WHERE change IS NULL;

-- Ordinals are never given twice, so a member who left takes nobody in or out of a ramp by count.
ALTER TABLE cohorts ADD COLUMN next_ordinal bigint NOT NULL DEFAULT 0;
UPDATE cohorts SET next_ordinal =
  (SELECT coalesce(max(ordinal) + 1, 0) FROM users WHERE users.cohort = cohorts.number);
DROP INDEX users_cohort;
CREATE INDEX users_members ON users (cohort, key);
`;
