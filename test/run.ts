/**
 * `npm test`: format, lint, compile, the servers that the suite needs, then every test file, and a last line
 * with the totals. `npm test -- test/state test/gateway.test.ts` compiles and runs only those.
 * `npm run coverage` is the same suite with coverage.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pruneBuild } from './runner/prune-build.ts';
import { type FileResult, indent, type Summary, summariseTap } from './runner/summarise-tap.ts';

const ROOT = resolve(import.meta.dirname, '..');
const NODE_MAJOR_MIN = 24;
/** The whole suite. A machine that needs more has a test that hangs. */
const SUITE_MS_MAX = 25 * 60_000;

process.exitCode = await run(process.argv.slice(2));

async function run(args: readonly string[]): Promise<number> {
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
    return giveUp(`Node ${NODE_MAJOR_MIN} or newer is needed, this is ${process.version}: use \`npm test\``);
  }
  const coverage = args.includes('--coverage');
  const unknown = args.find((arg) => arg.startsWith('--') && arg !== '--coverage');
  if (unknown !== undefined) return giveUp(`unknown option ${unknown}; known: --coverage`);
  const chosen = args.filter((arg) => !arg.startsWith('--'));

  console.log(`node ${process.version}`);
  const checks: [string, string[]][] = [
    ['format', ['biome', 'check']],
    ['lint', ['oxlint', '--type-aware', '--deny-warnings']],
  ];
  const compile: [string, string[]][] = [
    ['compile', ['tsc', '-p', 'tsconfig.json']],
    ['console', ['npm', 'run', '--silent', 'build:console']],
  ];
  for (const [name, command] of chosen.length > 0 ? compile : [...checks, ...compile]) {
    if (!step(name, command)) return giveUp(`${name} failed`);
  }
  for (const file of pruneBuild(ROOT)) console.log(`removed ${file}: its source is gone`);

  const files = testFiles(chosen);
  if (files.length === 0) return giveUp('no test file found');
  if (existsSync(join(ROOT, 'test/setup/install-servers.ts'))) {
    if (!step('servers', ['node', 'build/test/setup/install-servers.js'])) return giveUp('servers failed');
  }
  if (!tapIsBuilt() && !step('tap build', ['tap', 'build'])) return giveUp('tap build failed');
  const [summary, exitCode] = await runTap(files, coverage);
  return report(summary, exitCode, files.length);
}

/** Runs a command of node_modules/.bin with this Node, and shows its output only if it fails. */
function step(name: string, [command = '', ...args]: readonly string[]): boolean {
  const startedMs = performance.now();
  const child = spawnSync(command, args, { cwd: ROOT, env: environment(), encoding: 'utf8', input: '' });
  const ok = child.status === 0;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${seconds(performance.now() - startedMs)})`);
  if (!ok) console.log(child.error?.message ?? `${child.stdout}${child.stderr}`);
  return ok;
}

/** This Node and the project's tools come first, whatever the machine has installed. */
function environment(): NodeJS.ProcessEnv {
  const path = [join(ROOT, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(':');
  return { ...process.env, PATH: path, NO_COLOR: '1' };
}

/** From the sources, so that an output without a source is never run. */
function testFiles(chosen: readonly string[]): string[] {
  const all = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .sort();
  const prefixes = chosen.map((path) => relative(ROOT, resolve(path)));
  const isDirectory = (path: string): boolean =>
    existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isDirectory();
  return all
    .filter(
      (file) =>
        prefixes.length === 0 ||
        prefixes.some((path) => file === path || (isDirectory(path) && file.startsWith(`${path}/`))),
    )
    .map((file) => join('build', file.replace(/\.ts$/, '.js')));
}

/** tap compiles its plugins into itself; a fresh `npm ci` brings it with the TypeScript plugin. */
function tapIsBuilt(): boolean {
  const script = `import t from 'tap'; process.exit(t.pluginSignature.includes('@tapjs/typescript') ? 1 : 0)`;
  const args = ['--input-type=module', '-e', script];
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'ignore' }).status === 0;
}

async function runTap(files: readonly string[], coverage: boolean): Promise<[Summary, number]> {
  const options = coverage
    ? ['--coverage-report=text', '--coverage-report=lcovonly']
    : ['--disable-coverage'];
  const child = spawn('tap', ['run', '--reporter=tap', ...options, ...files], {
    cwd: ROOT,
    env: environment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const summariser = summariseTap(printFile, (line) => process.stdout.write(line));
  child.stdout.setEncoding('utf8').on('data', (text: string) => summariser.write(text));
  const deadline = setTimeout(() => {
    console.log(`FAIL the suite took longer than ${seconds(SUITE_MS_MAX)}`);
    child.kill('SIGTERM');
  }, SUITE_MS_MAX);
  const exitCode = await new Promise<number>((done, failed) => {
    child.once('error', failed);
    child.once('close', (code) => done(code ?? 1));
  });
  clearTimeout(deadline);
  return [summariser.end(), exitCode];
}

function printFile({ file, passed, failed, skipped, durationMs }: FileResult): void {
  const counts = `${passed} passed${failed > 0 ? `, ${failed} failed` : ''}${skipped > 0 ? `, ${skipped} skipped` : ''}`;
  console.log(`${failed === 0 ? 'ok  ' : 'FAIL'} ${sourceOf(file)}: ${counts} (${seconds(durationMs)})`);
}

function report(summary: Summary, exitCode: number, filesExpected: number): number {
  let { failed } = summary;
  for (const { path, name, diagnostics } of summary.failures) {
    console.log(`\nFAIL ${[...path.map(sourceOf), name].join(' > ')}`);
    if (diagnostics !== '') console.log(indent(diagnostics));
  }
  const fail = (what: string): void => {
    failed += 1;
    console.log(`\nFAIL ${what}`);
  };
  if (summary.passed + summary.failed === 0) fail('no test ran');
  else if (exitCode !== 0 && failed === 0) fail(`tap exited with ${exitCode}`);
  if (summary.files !== filesExpected && failed === 0) {
    fail(`${filesExpected} test files were to run, ${summary.files} reported`);
  }
  console.log(`\n${summary.files} files, ${summary.skipped} skipped`);
  console.log(`${summary.passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function giveUp(why: string): number {
  console.log(`FAIL ${why}`);
  console.log('0 passed, 1 failed');
  return 1;
}

function sourceOf(file: string): string {
  return file.replace(/^build\/(test\/.*)\.js$/, '$1.ts');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
