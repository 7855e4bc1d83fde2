/** `turnout gateways`: who has to agree to a change, and striking off one that is gone for good. */
import { Type } from '@sinclair/typebox';
import type { Command } from 'commander';
import { type GatewayDocument, GatewaySchema } from '../admin/control-documents.ts';
import { durationInWords } from '../wording/duration-in-words.ts';
import { printable } from '../wording/printable.ts';
import { askPages, ENVIRONMENT_HELP, tellAdmin } from './admin-client.ts';
import { confirm } from './confirm.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';

const EXAMPLES = `
Examples:
  $ turnout gateways
  $ turnout gateways --json | jq -r '.[] | select(.state != "live") | .where'
  $ turnout gateways evict 0b6f2c --reason 'the machine is gone' --yes

A change waits for every gateway in the list. One that stops in order leaves it by itself. Evict one only when its
process is gone for certain: nobody waits for it any more, and if it still ran, it could send writes to a backend
that has lost their users.

Exit codes: 0 done, 1 failed, 64 wrong usage or not confirmed.
${ENVIRONMENT_HELP}`;

const GATEWAYS_MAX = 10_000;

export function gatewaysTable(gateways: readonly GatewayDocument[]): string[][] {
  return [
    ['gateway', 'where', 'state', 'silent for', 'applied', 'drained', 'configuration'],
    ...gateways.map(({ id, where, state, silentMs, applied, drained, digest }) => [
      printable(id),
      printable(where),
      state,
      state === 'live' ? '' : durationInWords(silentMs),
      String(applied ?? '?'),
      String(drained ?? '?'),
      digest?.slice(0, 12) ?? '?',
    ]),
  ];
}

async function list(json: boolean, context: CliContext): Promise<ExitCode> {
  const gateways = await askPages(GatewaySchema, '/api/v1/gateways', GATEWAYS_MAX, context);
  if (json) context.writer.json(gateways);
  else if (gateways.length === 0) context.writer.line('No gateway is registered.');
  else context.writer.table(gatewaysTable(gateways));
  return EXIT.ok;
}

interface EvictOptions {
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

async function evict(id: string, options: EvictOptions, context: CliContext): Promise<ExitCode> {
  const { reason, yes = false, json = false } = options;
  const gateways = await askPages(GatewaySchema, '/api/v1/gateways', GATEWAYS_MAX, context);
  const gateway = gateways.find((known) => known.id === id);
  if (gateway === undefined) throw new CliError(`There is no gateway ${id}.`);
  const { where, state, silentMs } = gateway;
  const sentence =
    `gateway ${id} (${printable(where)}) is ${state}, silent for ${durationInWords(silentMs)}: nobody will wait ` +
    'for it any more, and if its process still runs, it may send writes to a backend that has lost their users';
  await confirm(sentence, yes, context);
  const path = `/api/v1/gateways/${encodeURIComponent(id)}`;
  const body = { risk: 'accepted', reason };
  const answer = Type.Object({ evicted: Type.String() });
  const { evicted } = await tellAdmin(answer, { method: 'DELETE', path, body }, context);
  if (json) context.writer.json({ evicted });
  else context.writer.line(`gateway ${evicted} is evicted`);
  return EXIT.ok;
}

export function addGateways(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  const gateways = program
    .command('gateways')
    .summary('who has to agree to a change')
    .description('Lists the gateways that a change waits for, or strikes off one that is gone.')
    .addHelpText('after', EXAMPLES);
  gateways
    .command('list', { isDefault: true })
    .description('Lists the gateways that a change waits for.')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async ({ json = false }: { json?: boolean }) => end(await list(json, context)));
  gateways
    .command('evict')
    .description('Strikes off a gateway that is gone for good.')
    .argument('<id>', 'of the gateway')
    .requiredOption('--reason <text>', 'why, for the log')
    .option('-y, --yes', 'accept the risk without being asked')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, options: EvictOptions) => end(await evict(id, options, context)));
}
