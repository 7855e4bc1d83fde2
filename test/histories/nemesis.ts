/**
 * What goes wrong, from the seed. Lanes run side by side, for gateways, for stores and for the backend `new`, each with
 * one misfortune at a time; each misfortune repairs what it broke.
 */
import { callAdmin, insist, listGateways } from './admin-api.ts';
import { pause } from './clock.ts';
import type { GatewayProcess } from './gateways.ts';
import type { Network } from './network.ts';
import type { RecordingBackends } from './recording-backends.ts';
import type { RedisPair } from './redis-pair.ts';
import type { Seeded } from './seeded.ts';

export interface Victims {
  readonly gateways: readonly GatewayProcess[];
  readonly redis: RedisPair;
  readonly postgres: { kill(): Promise<void>; start(): Promise<void> };
  readonly network: Network;
  readonly backends: Pick<RecordingBackends, 'order'>;
  /** The longest that a write may be at work at a backend after its gateway died. */
  readonly writeMaxMs: number;
  readonly selfFenceAfterMs: number;
}

const OF_GATEWAYS = { kill: 3, stop: 4, 'stop long': 3, 'cut from redis': 3, 'cut from postgres': 1 };
const OF_STORES = {
  'kill redis': 2,
  'restart redis empty': 2,
  'flush redis': 2,
  'freeze redis': 1,
  'fail over': 3,
  'restart postgres': 2,
};
const OF_BACKENDS = { 'new fails reads': 2, 'new resets reads': 1, 'new hangs': 1 };
type Misfortune = keyof typeof OF_GATEWAYS | keyof typeof OF_STORES | keyof typeof OF_BACKENDS;

const EVICT_MS = 60_000;

export class Nemesis {
  readonly #victims: Victims;
  readonly #random: Seeded;
  readonly #note: (what: string) => void;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  readonly #broken = Promise.withResolvers<never>();
  readonly counts = new Map<string, number>();

  constructor(victims: Victims, random: Seeded, note: (what: string) => void) {
    this.#victims = victims;
    this.#random = random;
    this.#note = note;
  }

  /** @param pauseMs between two misfortunes of a lane */
  run([least, most]: readonly [number, number]): void {
    const { signal } = this.#stop;
    const lane = async (name: string, draw: (random: Seeded) => Misfortune): Promise<void> => {
      const random = this.#random.fork(name);
      for (;;) {
        await pause(random.between(least, most), signal);
        if (signal.aborted) return;
        await this.strike(draw(random), random);
      }
    };
    this.#running = Promise.all([
      lane('gateways', (random) => random.weighted(OF_GATEWAYS)),
      lane('stores', (random) => random.weighted(OF_STORES)),
      lane('backends', (random) => random.weighted(OF_BACKENDS)),
    ]);
    this.#running.catch(this.#broken.reject);
  }

  /** Rejects when it cannot go on. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /** Resolves when everything that was broken is whole again. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async strike(what: Misfortune, random = this.#random, victim?: GatewayProcess): Promise<void> {
    const { gateways, selfFenceAfterMs } = this.#victims;
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
    const gateway = victim ?? random.pick(gateways);
    const shortMs = random.between(20, selfFenceAfterMs * 0.8);
    const longMs = random.between(selfFenceAfterMs * 1.2, selfFenceAfterMs * 4);
    this.#note(`${what} (${gateway.name})`);
    await this.#inflict(what, random, gateway, shortMs, longMs);
    this.#note(`${what} is over`);
  }

  async #inflict(
    what: Misfortune,
    random: Seeded,
    gateway: GatewayProcess,
    shortMs: number,
    longMs: number,
  ): Promise<void> {
    const { redis, postgres, network, backends } = this.#victims;
    switch (what) {
      case 'kill':
        return this.#kill(gateway, random);
      case 'stop':
      case 'stop long':
        gateway.stop();
        await pause(what === 'stop' ? shortMs : longMs);
        gateway.continue();
        return undefined;
      case 'cut from redis':
      case 'cut from postgres': {
        const wire = `${gateway.name} ${what === 'cut from redis' ? 'redis' : 'postgres'}`;
        await network.order({ kind: random.chance(0.5) ? 'cut' : 'silence', wire });
        await pause(random.chance(0.5) ? shortMs : longMs);
        return network.order({ kind: 'mend', wire });
      }
      case 'kill redis':
      case 'restart redis empty':
        await redis.kill();
        await pause(random.chance(0.7) ? shortMs : longMs);
        return redis.start(what === 'kill redis');
      case 'flush redis':
        return redis.flush();
      case 'freeze redis':
        redis.freeze();
        await pause(random.chance(0.7) ? shortMs : longMs);
        return redis.thaw();
      case 'fail over':
        return redis.failOver(random.chance(0.5) ? 0 : random.between(0, 200), (port) =>
          network.order({ kind: 'point', store: 'redis', port }),
        );
      case 'restart postgres':
        await postgres.kill();
        await pause(shortMs);
        return postgres.start();
      case 'new fails reads':
      case 'new resets reads':
      case 'new hangs':
        await backends.order(what === 'new hangs' ? 'hang' : what === 'new fails reads' ? 'fail' : 'reset');
        await pause(longMs);
        return backends.order('serve');
      default:
        return what satisfies never;
    }
  }

  /** And again under another id; a person vouches that the one before is gone, when its last write must have ended. */
  async #kill(gateway: GatewayProcess, random: Seeded): Promise<void> {
    const { gateways, writeMaxMs } = this.#victims;
    const { pid } = gateway;
    await gateway.kill();
    await pause(random.between(0, 500));
    await Promise.all([
      gateway.start(),
      pause(writeMaxMs).then(() =>
        insist(gateways, EVICT_MS, `the eviction of ${gateway.name}`, async (asked) => {
          const known = await listGateways(asked);
          if (known === undefined) return undefined;
          const gone = known.filter(({ where }) => where.includes(`process ${pid}`));
          for (const { id } of gone) {
            await callAdmin(asked, 'DELETE', `/api/v1/gateways/${id}`, {
              risk: 'accepted',
              reason: 'its process was killed',
            });
          }
          return gone.length === 0 ? true : undefined;
        }),
      ),
    ]);
  }
}
