/** Redis and Postgres of a run, beside the origin on its core. Each is left out where it is not installed. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { postgresBinaries, redisBinary, unprivilegedAccount } from '../test/fixtures/binaries.ts';
import { freePort, type ServerCommand, startServer } from '../test/fixtures/server-process.ts';
import { REDIS_KEY_PREFIX } from './peers/peer.ts';
import type { Core, Processes } from './processes.ts';
import { USERS } from './scenarios.ts';

const USERS_A_COMMAND = 5_000;

/** @returns the port of an empty Redis; `undefined` if not installed */
export async function startEmptyRedis(
  processes: Processes,
  directory: string,
  core: Core,
): Promise<number | undefined> {
  const file = orUndefined(redisBinary);
  if (file === undefined) return undefined;
  const port = await freePort();
  const where = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', directory];
  const args = [...where, '--save', '', '--appendonly', 'no'];
  const ready = /ready to accept/i;
  await startBeside(processes, { file, args, cwd: directory, ready, endSignal: 'KILL' }, core);
  return port;
}

/** @returns its port, filled with the keys that the peers with a lookup read; `undefined` if not installed */
export async function startRedis(processes: Processes, directory: string): Promise<number | undefined> {
  const port = await startEmptyRedis(processes, directory, 'rest');
  if (port === undefined) return undefined;
  const redis = new Redis({ host: '127.0.0.1', port });
  for (let user = 1; user <= USERS; user += USERS_A_COMMAND) {
    const pairs: string[] = [];
    for (let i = user; i < user + USERS_A_COMMAND; i += 1) pairs.push(`${REDIS_KEY_PREFIX}u${i}`, 'new');
    await redis.mset(...pairs);
  }
  redis.disconnect();
  return port;
}

export interface PostgresOptions {
  readonly core: Core;
  /** As `name=value`. */
  readonly settings: readonly string[];
}

/** @returns a connection string of an empty database; `undefined` if not installed */
export async function startPostgres(
  processes: Processes,
  { core, settings }: PostgresOptions = { core: 'rest', settings: ['fsync=off'] },
): Promise<string | undefined> {
  const binaries = orUndefined(postgresBinaries);
  if (binaries === undefined) return undefined;
  const account = unprivilegedAccount();
  // Not in the run's folder, which only its owner may enter.
  const home = mkdtempSync(join(tmpdir(), 'turnout-bench-postgres-'));
  processes.onStop(async () => rmSync(home, { recursive: true, force: true }));
  if (account !== undefined) chownSync(home, account.uid, account.gid);
  const data = join(home, 'data');
  const initArgs = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  execFileSync(binaries.initdb, initArgs, { cwd: home, stdio: 'pipe', ...account });
  const port = await freePort();
  const all = [...settings, 'unix_socket_directories=', 'listen_addresses=127.0.0.1'];
  const args = ['-D', data, '-p', `${port}`, ...all.flatMap((setting) => ['-c', setting])];
  const ready = /ready to accept connections/;
  const { postgres: file } = binaries;
  await startBeside(processes, { file, args, cwd: home, account, ready, endSignal: 'QUIT' }, core);
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

async function startBeside(processes: Processes, command: ServerCommand, core: Core = 'rest'): Promise<void> {
  const [file, ...args] = processes.pinning(core, [command.file, ...command.args]);
  const server = await startServer({ ...command, file: file ?? command.file, args });
  processes.onStop(() => server.end());
}

/** The fixtures throw where a server is not installed and cannot be. */
function orUndefined<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}
