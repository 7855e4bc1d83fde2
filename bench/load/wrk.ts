/** Load by wrk, which costs the least of the core that it shares with the origin. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Processes } from '../processes.ts';
import { REQUEST_HEADERS, USER_HEADER, USERS } from '../scenarios.ts';
import { type Burst, type LoadGenerator, parseBurstResult } from './load.ts';

/**
 * wrk knows only a duration, so the script ends the run once enough requests were sent: it interrupts wrk as
 * Ctrl-C would, because the main thread sleeps through the duration even when its workers have stopped. The few
 * requests that are under way at that moment are not counted. `init` gets: method, path, bytes of the body,
 * requests, order of the users, seed.
 */
const SCRIPT = `
local ffi = require("ffi")
ffi.cdef("int getpid(void); int kill(int pid, int signal);")
local sent, limit, each, head, tail = 0, 0, false, "", ""

function init(args)
  local method, path, bytes = args[1], args[2], tonumber(args[3])
  limit = tonumber(args[4])
  each = args[5] == "each"
  math.randomseed(tonumber(args[6]))
  head = method .. " " .. path .. " HTTP/1.1\\r\\nhost: shop.example\\r\\n" .. HEADERS .. USER_HEADER .. ": u"
  tail = "\\r\\n\\r\\n"
  if method == "POST" then
    tail = "\\r\\ncontent-type: application/json\\r\\ncontent-length: " .. bytes .. "\\r\\n\\r\\n"
      .. string.rep("x", bytes)
  end
end

function request()
  sent = sent + 1
  if sent == limit then ffi.C.kill(ffi.C.getpid(), 2) end
  if sent >= limit then wrk.thread:stop() end
  return head .. (each and (sent - 1) % USERS + 1 or math.random(USERS)) .. tail
end

function done(summary, latency)
  local e = summary.errors
  local out = io.open(RESULT, "w")
  out:write(string.format(
    '{"answers":%d,"errors":%d,"durationMs":%.3f,"p50Us":%.1f,"p99Us":%.1f}',
    summary.requests, e.connect + e.read + e.write + e.status + e.timeout, summary.duration / 1000,
    latency:percentile(50), latency:percentile(99)))
  out:close()
end
`;

/** What to install when it is missing. */
export const WRK_HINT = 'apt-get install wrk';

export function wrkInstalled(): boolean {
  return spawnSync('wrk', ['-v']).error === undefined;
}

export function createWrk(processes: Processes, directory: string): LoadGenerator {
  const script = join(directory, 'load.lua');
  const resultFile = join(directory, 'load.json');
  const headers = REQUEST_HEADERS.map(([name, value]) => `${name}: ${value}\\r\\n`).join('');
  const constants = [
    `local HEADERS = "${headers}"`,
    `local USER_HEADER = "${USER_HEADER}"`,
    `local USERS = ${USERS}`,
    `local RESULT = "${resultFile}"`,
  ];
  writeFileSync(script, `${constants.join('\n')}\n${SCRIPT}`);

  return {
    name: 'wrk',
    run: async ({ port, scenario, requests, connections, users, seed, deadlineMs }: Burst) => {
      writeFileSync(resultFile, '');
      const seconds = Math.ceil(deadlineMs / 1000);
      const args = ['-t', '1', '-c', `${connections}`, '-d', `${seconds}s`, '--timeout', '5s', '-s', script];
      const { method, path, requestBytes } = scenario;
      const url = `http://127.0.0.1:${port}/`;
      const { child } = processes.start(
        'wrk',
        [...args, url, '--', method, path, `${requestBytes}`, `${requests}`, users, `${seed}`],
        { core: 'rest' },
      );
      await once(child, 'exit');
      return parseBurstResult(readFileSync(resultFile, 'utf8'));
    },
  };
}
