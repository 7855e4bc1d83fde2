/** The admin API as an operator calls it, at one gateway after the other until one answers. */
import { pause } from './clock.ts';
import type { GatewayProcess } from './gateways.ts';

const ANSWER_MS = 8_000;

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

export interface ChangeDocument {
  readonly id: string;
  readonly kind: string;
  readonly cohort: string;
  readonly from: { readonly stage: string; readonly ramp: string | number };
  readonly to: { readonly stage: string; readonly ramp: string | number };
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
  const changes: ChangeDocument[] = [];
  let cursor = '';
  for (;;) {
    const { status, body } = await callAdmin(gateway, 'GET', `/api/v1/changes?limit=200${cursor}`);
    if (status !== 200) return undefined;
    changes.push(...(body.items ?? []).filter(isChange));
    if (body.next === undefined || body.next === null) return changes;
    cursor = `&cursor=${encodeURIComponent(body.next)}`;
  }
}

export function isChange(item: unknown): item is ChangeDocument {
  return typeof item === 'object' && item !== null && 'phase' in item && 'epochs' in item;
}

export function isOver({ phase }: ChangeDocument): boolean {
  return phase === 'done' || phase === 'undone';
}
