import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { cpuUs, memory, processTree } from '../../bench/process-account.ts';

void t.test(
  'the account of a process includes what its children use',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const spin = `const { spawn } = require('node:child_process');
    if (process.argv[1] === 'parent') {
      const child = spawn(process.execPath, ['-e', process.env.SPIN, 'child'], { stdio: ['ignore', 'inherit', 'inherit'] });
      process.stdin.on('end', () => { child.kill('SIGKILL'); process.exit(0); }).resume();
    } else {
      while (process.cpuUsage().user < 300_000);
      console.log('spun');
      setInterval(() => {}, 1000);
    }`;
    const parent = spawn(process.execPath, ['-e', spin, 'parent'], {
      env: { ...process.env, SPIN: spin },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.teardown(async () => {
      const exited = once(parent, 'exit');
      parent.stdin.end();
      await exited;
    });
    await once(parent.stdout, 'data');

    const pid = parent.pid ?? 0;
    t.equal(processTree(pid).length, 2);
    t.ok(cpuUs(pid) >= 250_000, 'the child alone used 300 ms');
    const { residentBytes, peakBytes } = memory(pid);
    t.ok(residentBytes > 20e6, 'two Node processes are resident');
    t.ok(peakBytes >= residentBytes);
  },
);

void t.test('a process that has ended has used nothing', async (t) => {
  const child = spawn('true');
  await once(child, 'exit');
  t.equal(cpuUs(child.pid ?? -1), 0);
});
