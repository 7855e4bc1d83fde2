import type { Processes, Started } from '../processes.ts';

/** What every peer is given: the two backends, Redis where there is one, and a folder of its own. */
export interface Surroundings {
  readonly processes: Processes;
  readonly backends: { readonly legacy: number; readonly new: number };
  /** `undefined` where no redis-server is installed. Users `u1` to `u100000` have `bench:user:KEY` = `new`. */
  readonly redisPort: number | undefined;
  /** A connection string, or `undefined` where no Postgres is installed. */
  readonly postgresUrl: string | undefined;
  readonly directory: string;
}

export interface Peer {
  readonly name: string;
  /** One line for the table's legend. */
  readonly title: string;
  /** It has a cache that every user is to be in before it is measured. */
  readonly visitEveryUser?: boolean;
  /** `undefined` if it can run here, else what to install. */
  missing(surroundings: Surroundings): string | undefined;
  start(surroundings: Surroundings): Promise<RunningPeer>;
  /** Version of the software, for the report. */
  version(): string;
}

export interface RunningPeer {
  readonly started: Started;
  readonly port: number;
  /** What it tells about itself after the last round. */
  readonly note?: () => Promise<string>;
}

/** Connections that each peer may open to one backend. */
export const BACKEND_CONNECTIONS = 128;

/** The key under which the peers with a Redis lookup find the backend of a user. */
export const REDIS_KEY_PREFIX = 'bench:user:';
