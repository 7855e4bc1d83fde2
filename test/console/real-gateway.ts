/** A gateway as people run it, a process with embedded stores, between two backends that differ; and a way to look at it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { configurationFile } from '../cli/configuration.ts';
import { TurnoutProcess } from '../cli/turnout-process.ts';
import { backend } from '../workers/running-workers.ts';

export const VIEWER = 'a-viewers-long-token';
export const OPERATOR = 'an-operators-long-token';

function configuration(legacy: number, renewed: number): string {
  return `
listen: { port: 0 }
admin:
  listen: { port: 0 }
  tokens:
    - { name: vera, role: viewer, token: "${VIEWER}" }
    - { name: otto, role: operator, token: "${OPERATOR}" }
backends:
  legacy: { url: "http://127.0.0.1:${legacy}" }
  new: { url: "http://127.0.0.1:${renewed}" }
state: { kind: embedded }
record: { kind: embedded, dir: "\${DATA_DIR}" }
identity: [{ from: header, name: x-user, trusted: true }]
cohorts:
  - { name: staff, rule: { attribute: header.x-plan, in: [staff] }, stage: shadow }
  - { name: everyone, default: true, stage: off }
routes: [{ match: "/api/*", shadow: { sample: 1 } }]
shadow: { confirmAfterMs: 0, noiseSample: 0 }
`;
}

export interface RealGateway {
  readonly adminUrl: string;
  /** A read of somebody of staff, which is compared. @returns the status */
  read(user: string): Promise<number>;
  /** Pins somebody to new, as the operator. */
  pin(user: string, reason: string): Promise<void>;
  /** The items of a list of the API, as the viewer sees them. */
  items(path: string): Promise<readonly Record<string, unknown>[]>;
}

export async function realGateway(t: Test): Promise<RealGateway> {
  const [legacy, renewed] = await Promise.all(
    [10, 12].map((price) =>
      backend(t, (_request, response) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ sku: 'lamp', price }));
      }),
    ),
  );
  const file = await configurationFile(t, configuration(legacy ?? 0, renewed ?? 0));
  const env = { DATA_DIR: `${dirname(file)}/data` };
  const { port, adminPort } = await new TurnoutProcess(t, ['start', '--config', file], env).ports();
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  return {
    adminUrl,
    async read(user) {
      const headers = { 'x-user': user, 'x-plan': 'staff' };
      const answer = await fetch(`http://127.0.0.1:${port}/api/lamp`, { headers });
      await answer.arrayBuffer();
      return answer.status;
    },
    async pin(user, reason) {
      const headers = { authorization: `Bearer ${OPERATOR}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ backend: 'new', reason });
      const answer = await fetch(`${adminUrl}/api/v1/users/${user}/pin`, { method: 'PUT', headers, body });
      if (!answer.ok) throw new Error(await answer.text());
    },
    async items(path) {
      const headers = { authorization: `Bearer ${VIEWER}` };
      const answer = await fetch(`${adminUrl}${path}`, { headers });
      const document: { items: readonly Record<string, unknown>[] } = JSON.parse(await answer.text());
      return document.items;
    },
  };
}

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds on the page as it is now that is serious or worse: one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate<readonly Violation[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  );
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}
