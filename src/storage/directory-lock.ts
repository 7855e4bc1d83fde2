/**
 * One process at a time on a data directory: a lock file that names its holder.
 *
 * The file is stale when its holder is gone. In one process namespace that is certain: the pid does not exist,
 * or belongs to a process that started at another time. From another namespace (a container that shares the
 * volume) it cannot be asked, so the holder touches the file every two seconds, and the file counts as stale
 * once it was not touched for ten.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import { link, open, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface DirectoryLock {
  release(): Promise<void>;
}

const TOUCH_MS = 2_000;
const STALE_MS = 10_000;
const POLL_MS = 500;

interface Holder {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process; empty where the system does not tell. */
  readonly started: string;
  readonly namespace: string;
  readonly token: string;
}

function startedAt(pid: number): string {
  try {
    // Field 22; the second field, the command in parentheses, may itself hold spaces and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function pidNamespace(): string {
  try {
    return (
      readlinkSync('/proc/self/ns/pid') + readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
    );
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function parseHolder(text: string): Holder | undefined {
  const [pid = '', started, namespace, token] = text.split('\n');
  if (!/^\d+$/.test(pid) || started === undefined || namespace === undefined || token === undefined) {
    return undefined;
  }
  return { pid: Number(pid), started, namespace, token };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Whether the holder is gone, as far as can be told at once; `undefined` when only time can tell. */
function isGone(holder: Holder): boolean | undefined {
  if (holder.namespace !== pidNamespace()) return undefined;
  return !isAlive(holder.pid) || startedAt(holder.pid) !== holder.started;
}

/** Moves a stale lock file aside. A file that turns out to be somebody else's new lock is put back. */
async function removeStale(file: string, stale: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) !== stale) await link(aside, file);
    await unlink(aside);
  } catch (error) {
    if (!isCode(error, 'ENOENT') && !isCode(error, 'EEXIST')) throw error;
  }
}

async function create(file: string, content: string): Promise<boolean> {
  // Written aside and then linked, so that nobody ever reads half a lock file.
  const draft = `${file}.${randomUUID()}`;
  const handle = await open(draft, 'wx');
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

async function untilStale(dir: string, file: string, content: string): Promise<void> {
  const holder = parseHolder(content);
  const busy = (): Error =>
    new Error(
      `the data directory ${dir} is in use by ${holder === undefined ? 'another process' : `process ${holder.pid}`}` +
        `. Stop that one first, or give this one another directory (record.dir). The lock is ${file}`,
    );
  const gone = holder === undefined ? undefined : isGone(holder);
  if (gone === true) return;
  if (gone === false) throw busy();
  const first = (await stat(file)).mtimeMs;
  for (let waited = 0; waited < STALE_MS; waited += POLL_MS) {
    if (Date.now() - (await stat(file)).mtimeMs > STALE_MS) return;
    await sleep(POLL_MS);
    if ((await stat(file)).mtimeMs !== first) throw busy();
  }
}

/**
 * Takes the lock of `dir`, which exists. It is released by `release`, or by the end of the process.
 * @throws an `Error` that names the holder. Takes up to 10 s when the holder is in another container.
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  const file = join(dir, 'turnout.lock');
  const content = [process.pid, startedAt(process.pid), pidNamespace(), randomUUID()].join('\n');
  for (let attempt = 0; !(await create(file, content)); attempt++) {
    if (attempt > 20) throw new Error(`the lock ${file} keeps changing hands`);
    try {
      const held = await readFile(file, 'utf8');
      await untilStale(dir, file, held);
      await removeStale(file, held);
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
  const touch = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, TOUCH_MS).unref();
  const removeAtExit = (): void => {
    try {
      if (readFileSync(file, 'utf8') === content) unlinkSync(file);
    } catch {
      // It is gone, or so is the directory; a lock left behind is found stale by the next process.
    }
  };
  process.once('exit', removeAtExit);
  return {
    async release() {
      clearInterval(touch);
      process.off('exit', removeAtExit);
      removeAtExit();
    },
  };
}
