/** The doctor's look at running gateways, through the admin API. */
import { Type } from '@sinclair/typebox';
import type { ChangeDocument, GatewayDocument } from '../admin/control-documents.ts';
import { type FullStatusDocument, FullStatusSchema } from '../admin/status-document.ts';
import { VERSION } from '../telemetry/version.ts';
import { changeInWords } from '../wording/change-in-words.ts';
import { durationInWords } from '../wording/duration-in-words.ts';
import { askAdmin, tellOnce } from './admin-client.ts';
import { adminOrigin, type Env, Refused, Unanswered } from './admin-connection.ts';
import { CliError } from './context.ts';
import { type Finding, fail, messageOf, ok, skip, warn } from './finding.ts';

/** A change takes milliseconds, or seconds when it waits for a drain. */
const LONG_MS = 60_000;

/**
 * Which role the token has: a call that would need more is refused for its role before anybody looks at its body,
 * and these have none that could do anything.
 */
async function roleOf(context: Env): Promise<'viewer' | 'operator' | 'admin'> {
  const may = async (path: string): Promise<boolean> => {
    try {
      await tellOnce(Type.Unknown(), { method: 'POST', path, body: {} }, context);
      return true;
    } catch (error) {
      return error instanceof Refused && error.code === 'invalid_request';
    }
  };
  if (await may('/api/v1/rebuild')) return 'admin';
  return (await may('/api/v1/cohorts')) ? 'operator' : 'viewer';
}

function workersOf({ gateways, stores }: FullStatusDocument): Finding[] {
  const state = stores.state;
  const findings = gateways.map(({ worker, state: at, attachment, epoch }) => {
    const found = `${at}, ${attachment ?? 'attachment unknown'}, epoch ${epoch ?? '?'}`;
    const check = `worker ${worker}`;
    if (at !== 'ready')
      return warn(check, found, 'It takes no requests, or does not answer. The log says why.');
    if (attachment === 'fenced') {
      return fail(
        check,
        found,
        'It refuses writes of users on the move, because it has lost the state map: see redis.',
      );
    }
    if (attachment !== 'attached') return warn(check, found, 'It serves what it knows last: see redis.');
    return ok(check, found);
  });
  if (state === null || state.problem === null) return findings;
  return [...findings, fail('state map', state.problem, 'docs/state-map.md says what is served meanwhile.')];
}

function leasesOf(registry: readonly GatewayDocument[]): Finding[] {
  if (registry.length === 0) {
    return [fail('leases', 'no gateway is registered', 'Is the record the one that the gateways use?')];
  }
  const lost = registry.filter(({ state }) => state !== 'live');
  if (lost.length === 0) return [ok('leases', `${registry.length} gateways, all of them live`)];
  return lost.map(({ id, where, state, silentMs }) =>
    warn(
      'leases',
      `${id} (${where}) is ${state}, silent for ${durationInWords(silentMs)}`,
      `Changes wait for it. If its process is gone for certain: turnout gateways evict ${id} --reason '…'`,
    ),
  );
}

function digestsOf(registry: readonly GatewayDocument[]): Finding {
  const known = registry.flatMap(({ where, digest }) => (digest === null ? [] : [{ where, digest }]));
  const [first] = known;
  if (first === undefined) return skip('digests', 'no gateway has told its own yet');
  const others = known.filter(({ digest }) => digest !== first.digest);
  if (others.length === 0) return ok('digests', `all have ${first.digest.slice(0, 12)}`);
  return fail(
    'digests',
    `${others.map(({ where }) => where).join('; ')} differ from ${first.where} in routes, classes or identity`,
    'No truth moves until they agree: give all of them the same configuration and reload it (SIGHUP).',
  );
}

function changesOf(changes: readonly ChangeDocument[], now: Date): Finding[] {
  if (changes.length === 0) return [ok('open changes', 'none')];
  return changes.map((change) => {
    const { id, phase, note, cohort, createdAt } = change;
    const ageMs = now.getTime() - Date.parse(createdAt);
    const of = cohort === null ? '' : ` of cohort ${cohort}`;
    const found = `${changeInWords(change)}${of}: ${phase} for ${durationInWords(Math.max(0, ageMs))}${note === null ? '' : `, ${note}`}`;
    if (ageMs < LONG_MS) return ok('open changes', found);
    return warn('open changes', found, `turnout changes ${id} says whom it waits for.`);
  });
}

/** Nobody is held for long, and nobody without a change. */
function holdsOf({ cohorts }: FullStatusDocument, changes: readonly ChangeDocument[] | null): Finding {
  const held = cohorts.filter((cohort) => cohort.held).map(({ name }) => name);
  if (held.length === 0) return ok('holds', 'nobody waits');
  const found = `writes wait in ${held.join(', ')}`;
  if (changes === null)
    return warn('holds', found, 'The record does not answer, so nobody can say for which change.');
  if (changes.length > 0) return ok('holds', `${found}, for an open change`);
  return fail(
    'holds',
    `${found}, and no change is open`,
    'Ask again; if it stays, rebuild the map: turnout rebuild.',
  );
}

function controlOf(status: FullStatusDocument, now: Date): Finding[] {
  const { changes, registry } = status;
  const control =
    changes === null || registry === null
      ? [
          fail(
            'stores of the gateway',
            'the record or the state map does not answer',
            'Nobody can be moved until both do.',
          ),
        ]
      : [...leasesOf(registry), digestsOf(registry), ...changesOf(changes, now)];
  return [...control, holdsOf(status, changes)];
}

function sameDigest({ truthDigest }: FullStatusDocument, digest: string | undefined): Finding[] {
  if (digest === undefined) return [];
  if (digest === truthDigest) return [ok('configuration in force', 'the same as in the file')];
  const found = 'the running gateway has other routes, classes or identity than the file';
  return [warn('configuration in force', found, 'Reload it (SIGHUP), or look whether this is its file.')];
}

/**
 * @param required whether somebody has to answer: a configuration may be looked at before anything runs
 * @param digest of the configuration that the gateway should have
 * @param now for the age of changes
 */
export async function checkGateway(
  { required, digest, now }: { required: boolean; digest: string | undefined; now: Date },
  context: Env,
): Promise<Finding[]> {
  const { origin } = adminOrigin(context);
  let status: FullStatusDocument;
  try {
    status = await askAdmin(FullStatusSchema, '/api/v1/status', context);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (error instanceof Unanswered && !required) return [skip('admin API', `nothing answers at ${origin}`)];
    const advice =
      error instanceof Unanswered
        ? 'Start the gateway, or set TURNOUT_ADMIN_URL to where its admin listener is.'
        : 'Set TURNOUT_TOKEN to one of admin.tokens, and TURNOUT_ADMIN_URL to a gateway of this version.';
    return [fail('admin API', messageOf(error), advice)];
  }
  const role = await roleOf(context);
  const up = `${origin}, version ${status.version}, up ${durationInWords(status.uptimeMs)}`;
  return [
    status.version === VERSION
      ? ok('admin API', up)
      : warn('admin API', up, `This command is version ${VERSION}. Use the same for both.`),
    role === 'viewer'
      ? warn(
          'token',
          'it may read, not change anything',
          'To move users, use a token with the role operator.',
        )
      : ok('token', `role ${role}`),
    ...sameDigest(status, digest),
    ...workersOf(status),
    ...controlOf(status, now),
  ];
}
