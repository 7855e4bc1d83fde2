/**
 * Users who write and read all the time, through whichever gateway answers. Values are unique. What each was told is
 * noted as it came: acknowledged, refused, or not to be known.
 */
import { Agent, request as httpRequest } from 'node:http';
import type { Backend, Operation, UserAtStart, WriteSent } from './checker/history.ts';
import { nowMs, pause } from './clock.ts';
import type { GatewayProcess } from './gateways.ts';
import type { Seeded } from './seeded.ts';

/** Codes of writes that no backend has had, or not as a whole. */
const REFUSED = new Set(['fenced', 'write_held', 'held_writes_full', 'state_unknown', 'backend_overloaded']);

/** Requests in flight to one gateway; a stopped one takes no more than these with it. */
const IN_FLIGHT_MAX = 24;
const ANSWER_MS = 4_000;

export interface ClientsPlan {
  readonly users: readonly ClientUser[];
  /** Between two requests of a loop, milliseconds. */
  readonly pauseMs: readonly [least: number, most: number];
  /** For the first `hotUsers`, who also write from two places at a time. */
  readonly hotUsers: number;
  readonly hotPauseMs: readonly [least: number, most: number];
  /** For the writes of every third of the others, who read as often: in `new` such a user is clean for long. */
  readonly quietPauseMs?: readonly [least: number, most: number];
  /** The share of writes whose client leaves before the answer. */
  readonly abandonedShare: number;
  /** The share of writes whose body comes in two pieces. */
  readonly slowBodyShare: number;
}

export interface ClientUser extends UserAtStart {
  /** The header by which rules place it is one of these, with each request. */
  readonly plans: readonly string[];
}

interface Sending {
  readonly method: string;
  readonly value?: string;
  readonly body?: string;
  /** It comes in two pieces. */
  readonly slowBody?: boolean;
  /** When the client gives up. */
  readonly leavesAfterMs?: number | undefined;
}

interface Answer {
  readonly status: number;
  readonly backend?: Backend;
  readonly value?: string | null;
  readonly code?: string;
  readonly user?: string;
}

let lastValue = 0;

/** Unique in this process, whoever writes. */
function nextValue(): number {
  lastValue += 1;
  return lastValue;
}

class Failed extends Error {
  readonly code: string | undefined;
  constructor(code: string | undefined) {
    super(code ?? 'no answer');
    this.code = code;
  }
}

export class Clients {
  readonly #gateways: readonly GatewayProcess[];
  readonly #plan: ClientsPlan;
  readonly #random: Seeded;
  readonly #note: (operation: Operation) => void;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  readonly #inFlight = new Map<GatewayProcess, number>();
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  /** Answers, by status and code. */
  readonly told = new Map<string, number>();

  constructor(
    gateways: readonly GatewayProcess[],
    plan: ClientsPlan,
    random: Seeded,
    note: (operation: Operation) => void,
  ) {
    this.#gateways = gateways;
    this.#plan = plan;
    this.#random = random;
    this.#note = note;
  }

  run(): void {
    const { users, hotUsers, pauseMs, hotPauseMs, quietPauseMs = pauseMs } = this.#plan;
    const loops = users.flatMap((user, index) => {
      const hot = index < hotUsers;
      const random = this.#random.fork(user.user);
      const every = hot ? hotPauseMs : pauseMs;
      const writesEvery = !hot && index % 3 === 0 ? quietPauseMs : every;
      const loop = (name: string, pace: typeof every, once: (random: Seeded) => Promise<void>) =>
        this.#loop(random.fork(name), pace, once);
      const writes = hot ? ['write', 'write again'] : ['write'];
      return [
        ...writes.map((name) => loop(name, writesEvery, (own) => this.#write(user, own))),
        loop('read', every, (own) => this.#read(user, own)),
      ];
    });
    this.#running = Promise.all(loops);
    // Said when they are stopped.
    this.#running.catch(() => undefined);
  }

  /** Resolves when every client has its last answer. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#agent.destroy();
  }

  /** One request of its own, beside the loops. */
  once(user: ClientUser, kind: Operation['kind']): Promise<void> {
    const random = this.#random.fork(`once ${user.user}`);
    return kind === 'read' ? this.#read(user, random) : this.#write(user, random);
  }

  async #loop(
    random: Seeded,
    [least, most]: readonly [number, number],
    once: (random: Seeded) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.#stop;
    await pause(random.between(0, most), signal);
    while (!signal.aborted) {
      await once(random);
      await pause(random.between(least, most), signal);
    }
  }

  /** As somebody in front would: one of those that answer. */
  #choose(random: Seeded): GatewayProcess | undefined {
    const usable = this.#gateways.filter(
      (each) => each.runs && (this.#inFlight.get(each) ?? 0) < IN_FLIGHT_MAX,
    );
    return usable.length === 0 ? undefined : random.pick(usable);
  }

  async #write(user: ClientUser, random: Seeded): Promise<void> {
    const gateway = this.#choose(random);
    if (gateway === undefined) return;
    const { abandonedShare, slowBodyShare } = this.#plan;
    const value = `${user.user}/${nextValue()}`;
    const beganMs = nowMs();
    const sent = { kind: 'write', user: user.user, value, gateway: gateway.name, beganMs } as const;
    const note = (outcome: WriteSent['outcome'], told: string, backend?: Backend): void =>
      this.#note({ ...sent, endedMs: nowMs(), outcome, told, ...(backend === undefined ? {} : { backend }) });
    try {
      const answer = await this.#send(gateway, user, random, {
        method: 'POST',
        value,
        body: `value ${value} of ${user.user}`,
        slowBody: random.chance(slowBodyShare),
        leavesAfterMs: random.chance(abandonedShare) ? random.between(0, 60) : undefined,
      });
      const told = `${answer.status} ${answer.code ?? ''}`.trim();
      if (answer.status === 200 && answer.value === value) note('ok', told, answer.backend);
      else note(REFUSED.has(answer.code ?? '') ? 'failed' : 'unknown', told);
    } catch (error) {
      const code = error instanceof Failed ? error.code : String(error);
      note(code === 'ECONNREFUSED' ? 'failed' : 'unknown', code ?? 'no answer');
    }
  }

  async #read(user: ClientUser, random: Seeded): Promise<void> {
    const gateway = this.#choose(random);
    if (gateway === undefined) return;
    const beganMs = nowMs();
    try {
      const answer = await this.#send(gateway, user, random, { method: 'GET' });
      const { backend, value } = answer;
      if (answer.status !== 200 || backend === undefined || value === undefined) return;
      if (answer.user !== user.user) throw new Error(`${user.user} was shown what ${answer.user} has`);
      const endedMs = nowMs();
      this.#note({ kind: 'read', user: user.user, gateway: gateway.name, beganMs, endedMs, backend, value });
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
    }
  }

  async #send(gateway: GatewayProcess, user: ClientUser, random: Seeded, what: Sending): Promise<Answer> {
    this.#inFlight.set(gateway, (this.#inFlight.get(gateway) ?? 0) + 1);
    try {
      const answer = await this.#exchange(gateway, user, random, what);
      const told = `${what.method} ${answer.status} ${answer.code ?? ''}`.trim();
      this.told.set(told, (this.told.get(told) ?? 0) + 1);
      return answer;
    } catch (error) {
      const told = `${what.method} ${error instanceof Failed ? error.code : String(error)}`;
      this.told.set(told, (this.told.get(told) ?? 0) + 1);
      throw error;
    } finally {
      this.#inFlight.set(gateway, (this.#inFlight.get(gateway) ?? 1) - 1);
    }
  }

  #exchange(
    gateway: GatewayProcess,
    user: ClientUser,
    random: Seeded,
    { method, value, body, slowBody, leavesAfterMs }: Sending,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        agent: this.#agent,
        host: '127.0.0.1',
        port: gateway.port,
        method,
        path: '/things',
        headers: {
          'x-user': user.user,
          'x-plan': random.pick(user.plans),
          ...(value === undefined ? {} : { 'x-value': value }),
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
        },
      });
      const fail = (code: string | undefined): void => reject(new Failed(code));
      const timer = setTimeout(() => {
        fail(leavesAfterMs === undefined ? 'late' : 'left');
        request.destroy();
      }, leavesAfterMs ?? ANSWER_MS);
      request.on('error', (error: NodeJS.ErrnoException) => fail(error.code));
      request.on('close', () => {
        clearTimeout(timer);
        fail('closed');
      });
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => void (text += piece));
        response.on('end', () => {
          if (!response.complete) return fail('cut');
          try {
            resolve({ ...JSON.parse(text), status: response.statusCode ?? 0 });
          } catch {
            fail(`not JSON: ${text.slice(0, 80)}`);
          }
          return undefined;
        });
      });
      if (body === undefined || slowBody !== true) {
        request.end(body);
      } else {
        request.write(body.slice(0, 3));
        setTimeout(() => request.end(body.slice(3)), random.between(5, 400));
      }
    });
  }
}
