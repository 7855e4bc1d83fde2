/** Who wrote to `new` since its truth moved there. */
export const writeMarks = `
-- A row for each user and era, not for each write. Old eras are removed bit by bit.
CREATE TABLE write_marks (
  key bytea NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 256),
  -- The number of a cohort, or 0 for users that are pinned to new.
  cohort integer NOT NULL CHECK (cohort >= 0),
  era bigint NOT NULL CHECK (era >= 0),
  -- Only attributes of the request had put the user into the cohort.
  unplaced boolean NOT NULL,
  PRIMARY KEY (key, cohort, era)
);
CREATE INDEX write_marks_cohort ON write_marks (cohort, era, key);
CREATE INDEX write_marks_unplaced ON write_marks (cohort, era, key) WHERE unplaced;
`;
