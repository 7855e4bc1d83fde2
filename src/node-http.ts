/**
 * `node:http`, the parts of it that are used as values.
 *
 * To import one name of it as a module makes Node work out all of its names, and some of these stand for a WebSocket and
 * an HTTP client of Node's own, which nobody here uses: they are read, parsed and kept by each process. Measured: 14 MB
 * resident. Asked for in this way, `node:http` is itself and no more.
 */
import type * as Http from 'node:http';

const http: typeof Http = process.getBuiltinModule('node:http');

export const { Agent, createServer, request, ServerResponse } = http;
export type Agent = Http.Agent;
export type ServerResponse = Http.ServerResponse;
