import type { Backend } from '../model.ts';
import type { PairCounts, SideCounts } from '../reports/report-store.ts';
import { bytes, integer, text } from './columns.ts';
import type { Row } from './sql.ts';

function backendOf(row: Row): Backend {
  const backend = text(row, 'authoritative');
  if (backend !== 'legacy' && backend !== 'new') throw new TypeError(`authoritative is ${backend}`);
  return backend;
}

export function pairRow(row: Row): PairCounts {
  return {
    route: text(row, 'route'),
    cohort: text(row, 'cohort'),
    authoritative: backendOf(row),
    compared: integer(row, 'compared'),
    matched: integer(row, 'matched'),
    covered: integer(row, 'covered'),
    transient: integer(row, 'transient'),
    confirmed: integer(row, 'confirmed'),
    flapping: integer(row, 'flapping'),
    unconfirmed: integer(row, 'unconfirmed'),
    latency: bytes(row, 'latency'),
  };
}

export function sideRow(row: Row): SideCounts {
  return {
    route: text(row, 'route'),
    cohort: text(row, 'cohort'),
    what: text(row, 'what'),
    count: integer(row, 'count'),
  };
}
