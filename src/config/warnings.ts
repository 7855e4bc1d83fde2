/**
 * What an operator should know of a configuration that is usable all the same.
 */
import type { Cohort, Stage } from '../model.ts';
import { isLoopback } from './listeners.ts';
import type { ConfigModel } from './model.ts';
import { isFromEnvironment, type Reading } from './reading.ts';
import type { ConfigWritten } from './schema.ts';

/** Stages in which writes of the cohort are to be mirrored. */
const MIRRORED: ReadonlySet<Stage> = new Set<Stage>(['dualwrite', 'shadow', 'live', 'rampdown']);

/** Adds the warnings to the report. */
export function warn(written: ConfigWritten, config: Omit<ConfigModel, 'warnings'>, reading: Reading): void {
  warnOfSecrets(written, reading);
  warnOfBackends(config, reading);
  warnOfIdentity(config, reading);
  config.cohorts.forEach((cohort, index) => warnOfStage(cohort, index, config, reading));
  warnOfNoDefault(config, reading);
  warnOfGuard(written, reading);
}

function warnOfSecrets(written: ConfigWritten, reading: Reading): void {
  const message =
    'written here in clear: whoever reads this file has it; take it from the environment (${NAME}) or from a file';
  written.admin.tokens.forEach((token, index) => {
    const place = ['admin', 'tokens', index, 'token'];
    if (token.token !== undefined && !isFromEnvironment(reading, place)) reading.report.warn(place, message);
  });
  written.identity.forEach((source, index) => {
    const place = ['identity', index, 'secret'];
    const isClear =
      source.from === 'jwt' && source.secret !== undefined && !isFromEnvironment(reading, place);
    if (isClear) reading.report.warn(place, message);
  });
  written.guard.hooks.forEach(({ secret }, index) => {
    const place = ['guard', 'hooks', index, 'secret'];
    if (secret !== undefined && !isFromEnvironment(reading, place)) reading.report.warn(place, message);
  });
  written.shadow.replayHeaders.forEach((_header, index) => {
    const place = ['shadow', 'replayHeaders', index, 'value'];
    if (!isFromEnvironment(reading, place)) reading.report.warn(place, message);
  });
}

function warnOfBackends({ backends }: Omit<ConfigModel, 'warnings'>, { report }: Reading): void {
  for (const backend of ['legacy', 'new'] as const) {
    const { origin, tls } = backends[backend];
    if (tls.verify || !origin.startsWith('https:')) continue;
    report.warn(
      ['backends', backend, 'tls', 'verify'],
      'the certificate of this backend is not verified: whoever is on the way to it can read and change everything; name its CA in `caFile` instead',
    );
  }
  const { legacy, new: renewed } = backends;
  if (legacy.origin !== renewed.origin || legacy.basePath !== renewed.basePath) return;
  report.warn(
    ['backends', 'new', 'url'],
    'the same address as `backends.legacy`: nothing moves when users are moved',
  );
}

function warnOfIdentity(config: Omit<ConfigModel, 'warnings'>, { report }: Reading): void {
  config.identity.forEach((source, index) => {
    if (source.from !== 'jwt' || source.key.kind !== 'jwks') return;
    const url = new URL(source.key.url);
    if (url.protocol === 'https:' || isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) return;
    report.warn(
      ['identity', index, 'jwksUrl'],
      'the keys come over http: whoever is on the way can put in their own and name themselves anybody',
    );
  });
}

function warnOfNoDefault({ cohorts }: Omit<ConfigModel, 'warnings'>, { report }: Reading): void {
  if (!cohorts.some(({ rule }) => rule !== undefined) || cohorts.some(({ isDefault }) => isDefault)) return;
  report.warn(
    ['cohorts'],
    'there are rules and no default cohort: a user whom no rule takes is in no cohort, and moves at once, without a hold, when an attribute changes; add a cohort with `default: true`',
  );
}

function warnOfStage(
  cohort: Cohort,
  index: number,
  { routes }: Omit<ConfigModel, 'warnings'>,
  { report }: Reading,
): void {
  if (!MIRRORED.has(cohort.stage) || !cohort.mirror || !routes.some((route) => route.mirror)) return;
  report.warn(
    ['cohorts', index, 'stage'],
    `\`${cohort.stage}\` asks for mirrored writes on some routes; this version sends none yet`,
  );
}

/** Nothing is mirrored yet, and without data nothing is judged, and nothing goes on. */
function warnOfGuard(written: ConfigWritten, { report }: Reading): void {
  const noData = 'this version mirrors no writes yet';
  written.guard.conditions.forEach(({ metric }, index) => {
    if (metric !== 'mirrorBacklog') return;
    report.warn(
      ['guard', 'conditions', index, 'metric'],
      `${noData}: there is no backlog, and this never trips`,
    );
  });
  for (const [name, { gates }] of Object.entries(written.guard.ramps)) {
    if (gates.mirrorBacklogMax === undefined) continue;
    report.warn(
      ['guard', 'ramps', name, 'gates', 'mirrorBacklogMax'],
      `${noData}: there is no backlog, no data is never enough, and this gate never opens`,
    );
  }
  written.guard.hooks.forEach(({ url, secret, secretFile }, index) => {
    const place = ['guard', 'hooks', index];
    if (secret === undefined && secretFile === undefined && !isLoopback(new URL(url).hostname)) {
      report.warn(place, 'no `secret`: whoever is told cannot know that it was Turnout who told it');
    }
  });
}
