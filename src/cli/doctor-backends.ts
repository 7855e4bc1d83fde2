/** The doctor's look at the two backends: does somebody answer there? */
import { readFileSync } from 'node:fs';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { BackendModel, ConfigModel } from '../config/model.ts';
import { request as httpRequest } from '../node-http.ts';
import { reasonOf } from './admin-connection.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** A backend may take longer to answer a user; whoever asks how it is does not wait so long. */
const ANSWER_MS = 5_000;

function tlsOf({ tls }: BackendModel): RequestOptions {
  const { caFile, certFile, keyFile, serverName, verify } = tls;
  return {
    rejectUnauthorized: verify,
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
    ...(certFile === undefined ? {} : { cert: readFileSync(certFile) }),
    ...(keyFile === undefined ? {} : { key: readFileSync(keyFile) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

/** Asks for the head of its first page, which changes nothing. @returns the status */
function ask(backend: BackendModel): Promise<number> {
  const url = new URL(backend.origin);
  const secure = url.protocol === 'https:';
  const options = {
    method: 'HEAD',
    path: `${backend.basePath}/`,
    agent: false,
    signal: AbortSignal.timeout(ANSWER_MS),
    ...(secure ? tlsOf(backend) : {}),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
      resolve(response.statusCode ?? 0);
      response.resume();
      request.destroy();
    });
    request.on('error', reject);
    request.end();
  });
}

async function checkBackend(name: 'legacy' | 'new', backend: BackendModel): Promise<Finding> {
  const check = `backend ${name}`;
  const place = `${backend.origin}${backend.basePath}`;
  try {
    const began = performance.now();
    const status = await ask(backend);
    const found = `${place} answered HEAD / with ${status} in ${Math.round(performance.now() - began)} ms`;
    // Any answer is one; but a gateway in front of nothing gives these.
    if (status === 502 || status === 503 || status === 504) {
      return warn(check, found, 'Something answers there that does not reach the backend itself.');
    }
    return ok(check, found);
  } catch (error) {
    const advice = `Users of ${name} get 502 or 504. Look at backends.${name}.url, at the system and at what is between.`;
    return fail(check, `${place}: ${reasonOf(error)}`, advice);
  }
}

export function checkBackends({ backends }: ConfigModel): Promise<Finding[]> {
  return Promise.all([checkBackend('legacy', backends.legacy), checkBackend('new', backends.new)]);
}
