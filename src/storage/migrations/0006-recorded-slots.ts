/** What gateways counted, for the guard's dry runs. Kept for two weeks. */
export const recordedSlots = `
CREATE TABLE guard_slots (
  cohort text NOT NULL,
  begins timestamptz NOT NULL,
  -- Requests and comparisons in it: of two writers of one row, the one that saw more wins.
  weight bigint NOT NULL,
  packed bytea NOT NULL,
  PRIMARY KEY (cohort, begins)
);
-- Deflated already.
ALTER TABLE guard_slots ALTER COLUMN packed SET STORAGE EXTERNAL;
CREATE INDEX guard_slots_begins ON guard_slots (begins);
`;
