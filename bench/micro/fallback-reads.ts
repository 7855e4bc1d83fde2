/**
 * What does a read that does not fail pay for the possibility that it might? Prints nanoseconds for a request that is
 * looked at and nothing else, for one that is counted as a read, and for one of a user in stage `live` that could be answered by
 * legacy, as the median of repeated rounds. What a failure costs is not here.
 *
 *   node bench/micro/fallback-reads.ts
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { InFlightWrites } from '../../src/cutover/in-flight-writes.ts';
import { FallbackReads } from '../../src/forwarding/fallback-reads.ts';
import type { ForwardPolicy } from '../../src/forwarding/forward.ts';
import { StallWatch } from '../../src/forwarding/stall-watch.ts';
import { Http1Answer } from '../../src/intake/answer.ts';
import { ClientConnections, TrustedProxies } from '../../src/intake/client-connection.ts';
import { Exchange } from '../../src/intake/exchange.ts';
import type { Decision } from '../../src/model.ts';
import { FallbackJudge } from '../../src/pipeline/fallback-judge.ts';
import { BackendClient } from '../../src/upstream/backend-client.ts';
import { testConfig } from '../../test/harness/gateway.ts';
import { MarkedMemoryState, MemoryMarks } from '../../test/harness/memory-marks.ts';

const CALLS = 200_000;
/** Exchanges under way. */
const OPEN = 256;
const WARM_UP = 3;
const ROUNDS = 11;

/** Keeps the work from being optimised away. */
let sink = 0;

function roundNs(work: (index: number) => number): number {
  const begun = process.hrtime.bigint();
  for (let i = 0; i < CALLS; i += 1) sink = (sink + work(i % OPEN)) | 0;
  return Number(process.hrtime.bigint() - begun) / CALLS;
}

function measure(name: string, work: (index: number) => number): void {
  for (let i = 0; i < WARM_UP; i += 1) roundNs(work);
  const rounds = Array.from({ length: ROUNDS }, () => roundNs(work)).toSorted((a, b) => a - b);
  const at = (share: number): string => (rounds[Math.floor(share * (ROUNDS - 1))] ?? 0).toFixed(0);
  console.log(`${name.padEnd(52)} ${at(0.5).padStart(7)} ns  (${at(0)} to ${at(1)})`);
}

const config = testConfig({ backends: { legacy: 9, new: 9 } });
const marks = new MemoryMarks();
const state = new MarkedMemoryState(config.cohorts, marks);
const now = (): number => 0;
const policy: ForwardPolicy = {
  fencedOff: () => false,
  pseudonym: 'x',
  via: '1.1 x',
  exposed: undefined,
  stalls: new StallWatch(1_000, now),
  clientStallMs: 1_000,
  now,
  attempts: undefined,
  onRetry: () => undefined,
};
const judge = new FallbackJudge(
  () => ({
    state,
    fenced: () => false,
    writes: new InFlightWrites(),
    anonymous: 'legacy',
    staleReads: 'serve',
  }),
  marks,
);
const reads = new FallbackReads({
  settings: config.guard.fallback,
  judge,
  legacy: new BackendClient('legacy', config.backends.legacy),
  onOutcome: () => undefined,
});

function exchanges(requestClass: 'read' | 'write', stage: 'live' | 'off'): readonly Exchange[] {
  const decision: Decision = {
    target: stage === 'live' ? 'new' : 'legacy',
    shadow: undefined,
    mirror: undefined,
    held: false,
    ownerUnknown: false,
    cohort: 'everyone',
    stage,
    place: undefined,
    reasons: [{ code: 'no-cohort' }],
  };
  const connections = new ClientConnections(new TrustedProxies([]));
  return Array.from({ length: OPEN }, () => {
    const socket = new Socket();
    const request = new IncomingMessage(socket);
    const answer = new Http1Answer(new ServerResponse(request));
    const exchange = new Exchange(request, answer, connections.of(socket), { onEnd: () => undefined }, 0);
    return Object.assign(exchange, { requestClass, decision, user: 'nina' });
  });
}

/** Its whole life, but for what it takes to send it. */
function living(all: readonly Exchange[], pending: Set<object>): (index: number) => number {
  return (index) => {
    const exchange = all[index];
    if (exchange === undefined) return 0;
    const standby = reads.begin(exchange, policy);
    if (standby !== undefined) {
      pending.add(standby);
      standby.passes(200);
      pending.delete(standby);
      standby.over();
    }
    reads.end(exchange);
    return 1;
  };
}

measure('nothing (the loop itself)', (index) => index);
measure('a write', living(exchanges('write', 'live'), new Set()));
measure('a read of legacy', living(exchanges('read', 'off'), new Set()));
const waiting = Array.from({ length: 400 }, () => ({}));
measure('a read in live, among 400 that wait', living(exchanges('read', 'live'), new Set<object>(waiting)));
if (sink === 0.5) console.log(sink);
