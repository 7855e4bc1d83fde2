/** The rounds: every peer in turn, again and again, so that what disturbs the machine disturbs all of them. */
import { request } from 'node:http';
import { join } from 'node:path';
import type { BurstResult, LoadGenerator } from './load/load.ts';
import type { Options } from './options.ts';
import type { RunningPeer } from './peers/peer.ts';
import { cpuUs } from './process-account.ts';
import { profileWhile } from './profile.ts';
import { countAnswer, REQUEST_HEADERS, type Scenario, USER_HEADER, USERS } from './scenarios.ts';

export interface Sample {
  readonly peer: string;
  readonly scenario: string;
  readonly round: number;
  /** CPU of the proxy's processes for one request, microseconds. */
  readonly cpuUs: number;
  readonly result: BurstResult;
}

export interface Contestant extends RunningPeer {
  readonly name: string;
  /** See `Peer`. */
  readonly visitEveryUser: boolean;
}

/** Requests of the first, thrown-away burst on each peer, as a share of a round's. */
const WARM_UP_SHARE = 0.5;
/** A peer may take this many times as long as the floor before the burst is called failed. */
const SLOWEST = 20;
const VISIT_MS_MAX = 120_000;

/**
 * Measures one scenario.
 *
 * @param contestants the first is the floor: how much it answers in `options.seconds` is how much all answer
 * @throws Error when a peer answered wrongly: a figure for a proxy that fails would mean nothing
 */
export async function measure(
  scenario: Scenario,
  contestants: readonly Contestant[],
  load: LoadGenerator,
  options: Options,
  progress: (sample: Sample) => void,
): Promise<Sample[]> {
  const [floor] = contestants;
  if (floor === undefined) throw new Error('nothing to measure');
  for (const contestant of contestants) await verify(contestant, scenario);

  const burst = { scenario, connections: options.connections, users: 'random' } as const;
  const deadlineMs = options.seconds * 1000 * SLOWEST;
  await load.run({ ...burst, port: floor.port, requests: 5_000, seed: 1, deadlineMs });
  const probe = await load.run({ ...burst, port: floor.port, requests: 10_000, seed: 2, deadlineMs });
  const requests = Math.max(2_000, Math.round((probe.answers / probe.durationMs) * 1000 * options.seconds));

  const samples: Sample[] = [];
  for (let round = 0; round <= options.rounds; round += 1) {
    const warmUp = round === 0;
    for (const contestant of contestants) {
      const before = cpuUs(contestant.started.pid);
      const result = await load.run({
        ...burst,
        port: contestant.port,
        requests: warmUp ? Math.round(requests * WARM_UP_SHARE) : requests,
        seed: 100 + round,
        deadlineMs,
      });
      const usedUs = cpuUs(contestant.started.pid) - before;
      if (result.errors > 0 || result.answers === 0) {
        throw new Error(
          `${contestant.name}, ${scenario.title}: ${result.errors} errors, ${result.answers} answers`,
        );
      }
      if (warmUp) continue;
      const sample = {
        peer: contestant.name,
        scenario: scenario.name,
        round,
        cpuUs: usedUs / result.answers,
        result,
      };
      samples.push(sample);
      progress(sample);
    }
  }
  if (options.profile !== undefined) {
    for (const { name, port, started } of contestants) {
      const url = started.inspectorUrl();
      if (url === undefined) continue;
      const file = join(options.profile, `${scenario.name}-${name}.cpuprofile`);
      await profileWhile(url, file, () => load.run({ ...burst, port, requests, seed: 99, deadlineMs }));
      console.log(`  written: ${file}`);
    }
  }
  return samples;
}

/** Sends one request of every user through the peers that cache users. */
export async function visitEveryUser(
  scenario: Scenario,
  contestants: readonly Contestant[],
  load: LoadGenerator,
  { connections }: Options,
): Promise<void> {
  for (const { name, port } of contestants.filter((contestant) => contestant.visitEveryUser)) {
    const users = 'each';
    const burst = { port, scenario, requests: USERS + connections, connections, users, seed: 1 } as const;
    const { errors } = await load.run({ ...burst, deadlineMs: VISIT_MS_MAX });
    if (errors > 0) throw new Error(`${name}: ${errors} errors while every user was visited`);
  }
}

/** One request as the load sends it, its answer compared with what the origin sends. */
async function verify({ name, port }: Contestant, scenario: Scenario): Promise<void> {
  const { status, body } = await send(port, scenario);
  const expected =
    scenario.method === 'POST'
      ? countAnswer(scenario.requestBytes)
      : Buffer.alloc(scenario.responseBytes, 'turnout ').toString('latin1');
  if (status !== 200 || body !== expected) {
    throw new Error(`${name} answers ${scenario.title} with ${status} and ${body.length} bytes`);
  }
}

function send(port: number, scenario: Scenario): Promise<{ status: number; body: string }> {
  const { method, path, requestBytes } = scenario;
  const headers = { ...Object.fromEntries(REQUEST_HEADERS), [USER_HEADER]: 'u1' };
  return new Promise((done, failed) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('latin1').on('data', (text: string) => {
        body += text;
      });
      answer.on('end', () => done({ status: answer.statusCode ?? 0, body }));
      answer.on('error', failed);
    });
    outgoing.on('error', failed);
    outgoing.end(method === 'POST' ? Buffer.alloc(requestBytes, 'x') : undefined);
  });
}
