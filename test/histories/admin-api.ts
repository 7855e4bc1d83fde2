/** The admin API as an operator calls it, at one gateway after the other until one answers. */
import { pause } from './clock.ts';
import type { GatewayProcess } from './gateways.ts';

const ANSWER_MS = 8_000;
const JOB_MS = 20_000;

export interface AdminAnswer {
  readonly status: number;
  // The documents of the API, of which each caller reads a few members.
  readonly body: AdminDocument;
}

export interface AdminDocument {
  readonly code?: string;
  readonly change?: ChangeDocument | string;
  readonly items?: readonly unknown[];
  readonly next?: string | null;
}

export interface DefinitionDocument {
  readonly stage: string;
  readonly ramp: string | number;
  readonly rule: { readonly in?: readonly string[] } | null;
}

export interface ChangeDocument {
  readonly id: string;
  readonly kind: string;
  readonly cohort: string | null;
  readonly user: string | null;
  readonly pin: 'legacy' | 'new' | null;
  readonly users: number;
  readonly from: DefinitionDocument | null;
  readonly to: DefinitionDocument | null;
  readonly dirtyUsers: string;
  readonly dirty: number;
  readonly movesTruth: boolean;
  readonly phase: string;
  readonly epochs: {
    readonly hold: number | null;
    readonly switch: number | null;
    readonly release: number | null;
  };
  readonly reason: string;
  readonly note: string | null;
}

export interface GatewayDocument {
  readonly id: string;
  readonly where: string;
  readonly state: 'live' | 'silent' | 'fenced';
  readonly applied: number | null;
}

/** @throws when there is no answer in time */
export async function callAdmin(
  gateway: GatewayProcess,
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<AdminAnswer> {
  const response = await fetch(`http://127.0.0.1:${gateway.adminPort}${path}`, {
    method,
    signal: AbortSignal.timeout(ANSWER_MS),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text) };
}

/** Asks the gateways in turn until one answers as wanted. @throws after `boundMs` */
export async function insist<T>(
  gateways: readonly GatewayProcess[],
  boundMs: number,
  what: string,
  ask: (gateway: GatewayProcess) => Promise<T | undefined>,
): Promise<T> {
  const untilMs = performance.now() + boundMs;
  let why: unknown = new Error('no gateway is there to be asked');
  for (let turn = 0; performance.now() < untilMs; turn += 1) {
    // One that is stopped, or gone, would be waited for.
    const asked = gateways.filter(({ runs, stopped }) => runs && !stopped);
    const gateway = asked[turn % Math.max(1, asked.length)];
    try {
      const answer = gateway === undefined ? undefined : await ask(gateway);
      if (answer !== undefined) return answer;
    } catch (error) {
      why = error;
    }
    await pause(50);
  }
  throw new Error(`waited ${boundMs} ms in vain for ${what}`, { cause: why });
}

/** All gateways that the product knows. */
export async function listGateways(gateway: GatewayProcess): Promise<readonly GatewayDocument[] | undefined> {
  const { status, body } = await callAdmin(gateway, 'GET', '/api/v1/gateways?limit=100');
  return status === 200 ? body.items?.filter(isGateway) : undefined;
}

function isGateway(item: unknown): item is GatewayDocument {
  return typeof item === 'object' && item !== null && 'where' in item && 'state' in item;
}

/** The whole audit. */
export async function listChanges(gateway: GatewayProcess): Promise<readonly ChangeDocument[] | undefined> {
  return (await listAll(gateway, '/api/v1/changes'))?.filter(isChange);
}

/** Users whose writes were in `new` only when the change was switched. */
export async function listDirty(
  gateway: GatewayProcess,
  change: string,
): Promise<readonly string[] | undefined> {
  const users = await listAll(gateway, `/api/v1/changes/${change}/dirty`);
  return users?.filter((user) => typeof user === 'string');
}

async function listAll(gateway: GatewayProcess, path: string): Promise<readonly unknown[] | undefined> {
  const items: unknown[] = [];
  let cursor = '';
  for (;;) {
    const { status, body } = await callAdmin(gateway, 'GET', `${path}?limit=200${cursor}`);
    if (status !== 200) return undefined;
    items.push(...(body.items ?? []));
    if (body.next === undefined || body.next === null) return items;
    cursor = `&cursor=${encodeURIComponent(body.next)}`;
  }
}

/**
 * Runs a job on members to its end, or until it breaks off: what it has done is in the audit.
 *
 * @param body one user a line, or the JSON of a job that takes none
 * @returns the status, and the code of the refusal or of what it ended with
 */
export async function runJob(
  gateway: GatewayProcess,
  method: string,
  path: string,
  body: string,
): Promise<{ readonly status: number; readonly code: string | undefined }> {
  const response = await fetch(`http://127.0.0.1:${gateway.adminPort}${path}`, {
    method,
    signal: AbortSignal.timeout(JOB_MS),
    headers: { 'content-type': body.startsWith('{') ? 'application/json' : 'text/plain' },
    body,
  });
  const text = await response.text();
  return { status: response.status, code: /"code":"(\w+)"/u.exec(text)?.[1] };
}

export function isChange(item: unknown): item is ChangeDocument {
  return typeof item === 'object' && item !== null && 'phase' in item && 'epochs' in item;
}

export function isOver({ phase }: ChangeDocument): boolean {
  return phase === 'done' || phase === 'undone';
}
