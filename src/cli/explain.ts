/** `turnout explain`: where would this request go, and why? */
import type { Command } from 'commander';
import { type ExplanationDocument, ExplanationSchema } from '../admin/admin-source.ts';
import { ERRORS, TurnoutError } from '../errors.ts';
import { createIdentity } from '../intake/identity.ts';
import { ABSENT_RECORD } from '../model.ts';
import { explainRequest, type HypotheticalRequest } from '../pipeline/explain-request.ts';
import { compileRoutes } from '../routing/router.ts';
import { createSnapshot } from '../state/snapshot.ts';
import { askAdmin, ENVIRONMENT_HELP } from './admin-client.ts';
import { readConfig } from './config-file.ts';
import { type CliContext, CliError, EXIT, type ExitCode } from './context.ts';
import { collectHeader, parsePath } from './options.ts';
import type { Writer } from './writer.ts';

const EXAMPLES = `
Examples:
  A running gateway, with what it knows of the user:
  $ turnout explain --user u42 --path /api/orders
  $ turnout explain --method POST --path /api/orders -H 'authorization: Bearer TOKEN'

  A configuration, before it runs anywhere. Its cohorts stand for the state map, and nobody has a record:
  $ turnout explain --config turnout.yaml --user u42 --path /api/orders -H 'x-plan: staff'

Without --user, the identity sources of the configuration look for the user in the headers, as for a request.
${ENVIRONMENT_HELP}`;

interface ExplainOptions {
  readonly config?: string;
  readonly user?: string;
  readonly method: string;
  readonly path: string;
  readonly header?: readonly (readonly [string, string])[];
  readonly json?: boolean;
}

async function offline(
  file: string,
  request: HypotheticalRequest,
  context: CliContext,
): Promise<ExplanationDocument> {
  const config = readConfig(file, context);
  const snapshot = createSnapshot({ mapId: 'configuration', epoch: 0, cohorts: config.cohorts });
  try {
    return await explainRequest(request, {
      routes: compileRoutes(config.routes),
      identifier: createIdentity(config.identity),
      anonymous: config.anonymous,
      snapshot: () => snapshot,
      recordOf: () => ABSENT_RECORD,
    });
  } catch (error) {
    if (!(error instanceof TurnoutError)) throw error;
    const { status, title, detail } = ERRORS[error.code];
    throw new CliError(`Refused with ${status}, ${title} (${error.code}): ${detail}`, EXIT.failure, {
      cause: error,
    });
  }
}

async function online(request: HypotheticalRequest, context: CliContext): Promise<ExplanationDocument> {
  const query = new URLSearchParams({ method: request.method, path: request.target });
  if (request.user !== undefined) query.set('user', request.user);
  for (const [name, value] of request.headers) query.append(`header.${name}`, value);
  return askAdmin(ExplanationSchema, `/api/v1/explain?${query.toString()}`, context);
}

function print(writer: Writer, explanation: ExplanationDocument): void {
  const {
    method,
    path,
    route,
    class: requestClass,
    user,
    identity,
    decision,
    sentences,
    epoch,
  } = explanation;
  const { target, shadow, mirror, held, cohort, stage } = decision;
  writer.line(`${writer.style('bold', `${method} ${path}`)} goes to ${writer.style('cyan', target)}`);
  writer.line();
  for (const [index, sentence] of [...identity, ...sentences].entries()) {
    writer.line(`  ${index + 1}. ${sentence}`);
  }
  writer.line();
  const facts = [
    ['route', route],
    ['class', requestClass],
    ['user', user ?? 'none'],
    ['cohort', cohort ?? 'none'],
    ['stage', stage ?? 'none'],
    ['shadow read to', shadow ?? 'none'],
    ['mirrored to', mirror ?? 'none'],
    ['held', held ? 'yes' : 'no'],
    ['epoch', String(epoch)],
  ];
  for (const [name = '', value = ''] of facts) {
    writer.line(`  ${writer.style('dim', name.padEnd(15))} ${value}`);
  }
}

async function run(options: ExplainOptions, context: CliContext): Promise<ExitCode> {
  const { config, user, method, path, header = [], json = false } = options;
  const request = { method, target: path, headers: header, ...(user === undefined ? {} : { user }) };
  const explanation = await (config === undefined
    ? online(request, context)
    : offline(config, request, context));
  if (json) context.writer.json(explanation);
  else print(context.writer, explanation);
  return EXIT.ok;
}

export function addExplain(program: Command, context: CliContext, end: (code: ExitCode) => void): void {
  program
    .command('explain')
    .summary('where would this request go, and why')
    .description(
      'Takes a request through routing, identity and decision, and prints every reason. Sends nothing.',
    )
    .option('-c, --config <file>', 'explain by this configuration instead of a running gateway')
    .option('-u, --user <user>', 'whose request it is, whatever the headers say')
    .option('-m, --method <method>', 'the method', 'GET')
    .option('--path <path>', 'path and query', parsePath, '/')
    .option('-H, --header <header>', "a header, as 'NAME: VALUE'; may be repeated", collectHeader)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: ExplainOptions) => end(await run(options, context)));
}
