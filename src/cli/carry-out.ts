/** From a call that begins a change to its end: the same for every command that moves users. */
import type { Command } from 'commander';
import {
  ChangeAnswerSchema,
  type ChangeInProgressDocument,
  GatewaySchema,
} from '../admin/control-documents.ts';
import { printable } from '../wording/printable.ts';
import { askPages, type JsonCall, tellAdmin } from './admin-client.ts';
import { Refused } from './admin-connection.ts';
import type { CliContext, ExitCode } from './context.ts';
import { exitOf, expectDone, followChange } from './follow-change.ts';
import { parsePolicy, wholeNumber } from './options.ts';

/** Gateways counted for the confirmation. */
const GATEWAYS_MAX = 10_000;

/** What the first call waits, so that a change that takes no longer needs no other one. */
const FIRST_WAIT_S = 1;

/** What every command that changes something takes. */
export interface ChangeOptions {
  readonly reason: string;
  readonly yes?: boolean;
  readonly expectedEpoch?: number;
  readonly wait: number;
  readonly json?: boolean;
}

export function addChangeOptions(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('-y, --yes', 'do not ask before users move')
    .option(
      '--expected-epoch <epoch>',
      'refuse if the state map has moved on from this epoch',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option('--wait <seconds>', 'how long to wait for the end of the change', wholeNumber(0, 86_400), 60)
    .option('--json', 'print the change as JSON');
}

export interface DirtyOption {
  readonly dirtyUsers?: string;
}

export function addDirtyOption(command: Command): Command {
  return command.option(
    '--dirty-users <policy>',
    'users whose writes are in new only: drain, keep or force (drain)',
    parsePolicy,
  );
}

/** The members of a body that the options give. */
export function authorBody({ reason, expectedEpoch, dirtyUsers }: ChangeOptions & DirtyOption) {
  return {
    reason,
    ...(expectedEpoch === undefined ? {} : { expectedEpoch }),
    ...(dirtyUsers === undefined ? {} : { dirtyUsers }),
  };
}

/** Notes each gateway that a change would have to wait for. @returns `3 gateways must agree` */
export async function agreement(context: CliContext): Promise<string> {
  const gateways = await askPages(GatewaySchema, '/api/v1/gateways', GATEWAYS_MAX, context);
  for (const { id, where, state } of gateways) {
    if (state === 'live') continue;
    const seen = state === 'silent' ? 'was not seen alive yet, or not any more' : `is ${state}`;
    context.writer.note(`Gateway ${id} (${printable(where)}) ${seen}.`);
  }
  return gateways.length === 1 ? '1 gateway has to agree' : `${gateways.length} gateways must agree`;
}

/** @returns the id of the change, wherever that has got to */
function begin(wanted: JsonCall, waitS: number, context: CliContext): Promise<string> {
  const headers = { ...wanted.headers, prefer: `wait=${Math.min(FIRST_WAIT_S, waitS)}` };
  return idOf(async () => {
    const { change } = await tellAdmin(ChangeAnswerSchema, { ...wanted, headers }, context);
    return change.id;
  });
}

/** @param begun begins a change, and returns its id */
export async function idOf<T>(begun: () => Promise<T>): Promise<T | string> {
  try {
    return await begun();
  } catch (error) {
    // It is told like one that is undone later.
    if (error instanceof Refused && error.code === 'change_undone') return String(error.problem['change']);
    throw error;
  }
}

/**
 * Begins a change, follows it to its end, and prints what became of it.
 *
 * @param done prints a change that is in force everywhere
 * @throws CliError for a change that is not done, unless JSON is wanted
 */
export async function carryOut(
  wanted: JsonCall,
  options: Pick<ChangeOptions, 'wait' | 'json'>,
  done: (change: ChangeInProgressDocument) => void,
  context: CliContext,
): Promise<ExitCode> {
  return followToEnd(await begin(wanted, options.wait, context), options, done, context);
}

/** As `carryOut`, for a change that was begun. */
export async function followToEnd(
  id: string,
  { wait, json = false }: Pick<ChangeOptions, 'wait' | 'json'>,
  done: (change: ChangeInProgressDocument) => void,
  context: CliContext,
): Promise<ExitCode> {
  const { writer } = context;
  const progress = json ? () => undefined : (line: string) => writer.note(line);
  const change = await followChange(id, { waitMs: wait * 1_000, progress }, context);
  if (json) {
    writer.json(change);
    return exitOf(change);
  }
  expectDone(change);
  done(change);
  return exitOf(change);
}
