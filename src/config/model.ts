/**
 * The validated configuration: frozen, complete (every default filled in), with times in milliseconds and
 * sizes in bytes. What an operator writes is in `schema.ts`; what changes at run time lives in the state map.
 */
import type { RulesWritten } from '../comparison/rules-written.ts';
import type { GuardWritten } from '../guard/guard-settings.ts';
import type { Backend, Cohort, RequestClass, RoutePolicy } from '../model.ts';
import type { Problem } from './problem.ts';

export interface Address {
  readonly host: string;
  /** 0 to 65,535; 0 lets the system choose. */
  readonly port: number;
}

export interface ListenModel extends Address {
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
}

export interface BackendModel {
  /** Origin only: scheme, host, port. */
  readonly origin: string;
  /** A path put before every request's path, without a trailing slash; usually empty. */
  readonly basePath: string;
  /** Bound on one connect, TLS included, and on waiting for a free connection. */
  readonly connectMs: number;
  /** Bound on waiting for the head of the answer, once the request was sent. */
  readonly headersMs: number;
  /** Bound on the silence between two pieces of a body, in either direction. */
  readonly bodyMs: number;
  /** Bound on open connections, by worker. */
  readonly connectionsMax: number;
  /** Bound on requests that wait for a connection, by worker. */
  readonly queueMax: number;
  /** Idle connections are closed after this. Keep it below the backend's own. */
  readonly keepAliveMs: number;
  readonly tls: {
    readonly caFile: string | undefined;
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
    readonly serverName: string | undefined;
    readonly verify: boolean;
  };
  /** `client`: the client's Host header is passed on. `backend`: the backend's own host is sent. */
  readonly hostHeader: 'client' | 'backend';
}

export type StateModel =
  | { readonly kind: 'embedded'; readonly userCacheMax: number }
  | {
      readonly kind: 'redis';
      readonly mode: 'single' | 'cluster' | 'sentinel';
      /** For `single`. */
      readonly url: string;
      /** Seeds of the cluster, or the sentinels. */
      readonly nodes: readonly Address[];
      readonly sentinelName: string | undefined;
      readonly username: string | undefined;
      readonly password: string | undefined;
      readonly tls: boolean;
      readonly keyPrefix: string;
      readonly userBuckets: number;
      readonly userCacheMax: number;
      /** Bound on one Redis command. */
      readonly commandMs: number;
    };

export type RecordModel =
  | { readonly kind: 'embedded'; readonly dir: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      readonly poolMax: number;
      /** Bound on one statement on the data path. */
      readonly statementMs: number;
    };

export type IdentitySource =
  | {
      readonly from: 'jwt';
      readonly claim: string;
      /** The header that carries `Bearer TOKEN`, lower case. */
      readonly header: string;
      /** A cookie that carries the token, instead of the header. */
      readonly cookie: string | undefined;
      readonly key:
        | {
            readonly kind: 'jwks';
            readonly url: string;
            readonly cacheMs: number;
            readonly cooldownMs: number;
          }
        | { readonly kind: 'secret'; readonly secret: string };
      readonly algorithms: readonly string[];
      readonly issuer: string | undefined;
      readonly audience: string | undefined;
      readonly clockToleranceMs: number;
    }
  | { readonly from: 'header'; readonly name: string }
  | { readonly from: 'cookie'; readonly name: string }
  | { readonly from: 'path'; readonly name: string }
  | { readonly from: 'query'; readonly name: string };

export interface RouteModel extends RoutePolicy {
  /** The pattern as written: literal segments, `:name` for one segment, a final `*` for the rest. */
  readonly match: string;
  /** Upper case; empty means every method. */
  readonly methods: readonly string[];
  /** `undefined`: by method. */
  readonly class: RequestClass | undefined;
  /** 401 for requests without a valid identity. */
  readonly requireUser: boolean;
  /** The share of reads that are shadowed, 0 to 1; 0 where `shadow` is false. */
  readonly shadowSample: number;
  /** Checked, and as it was written; `compileRules` makes it ready. */
  readonly compare: RulesWritten | undefined;
}

export interface TokenModel {
  readonly name: string;
  readonly role: 'viewer' | 'operator' | 'admin';
  /** Lower-case hex SHA-256 of the token. The token itself is not kept. */
  readonly sha256: string;
}

export interface ConfigModel {
  /** Where it was read from, for messages. */
  readonly file: string;
  readonly listen: ListenModel;
  readonly workers: number | 'auto';
  readonly admin: { readonly listen: Address; readonly tokens: readonly TokenModel[] };
  readonly backends: { readonly [B in Backend]: BackendModel };
  readonly state: StateModel;
  readonly record: RecordModel;
  readonly identity: readonly IdentitySource[];
  readonly anonymous: Backend;
  /** Seeds: created in the state map when absent there. */
  readonly cohorts: readonly Cohort[];
  readonly routes: readonly RouteModel[];
  readonly shadow: {
    readonly concurrencyMax: number;
    readonly deadlineMs: number;
    readonly bodyBytesMax: number;
    /** Before a difference is read again on both sides. */
    readonly confirmAfterMs: number;
    /** The share of chosen reads that ask the authoritative side again, 0 to 1. */
    readonly noiseSample: number;
    /** Sent with the reads of stored samples, whose own credentials are not stored. */
    readonly replayHeaders: readonly { readonly name: string; readonly value: string }[];
    /** Paths into documents whose values are not stored, besides what looks secret or personal by itself. */
    readonly redact: readonly string[];
    /** Names of fields whose values are not stored. */
    readonly redactNames: readonly string[];
    /** How long samples are stored, days. */
    readonly sampleDays: number;
  };
  /** Complete: every condition there is, those of the short keys too. */
  readonly guard: Required<GuardWritten>;
  readonly cutover: {
    readonly holdMaxMs: number;
    readonly drainMaxMs: number;
    readonly selfFenceAfterMs: number;
    /** Bound on writes that wait for one worker. */
    readonly heldWritesMax: number;
    /**
     * How long a write that was sent and never answered is still taken to be at work at its backend: its client
     * left, or the connection broke.
     */
    readonly unansweredWriteMs: number;
    /** What reads get once the gateway is fenced. */
    readonly staleReads: 'serve' | 'refuse';
  };
  readonly limits: {
    /** Request line and headers together. */
    readonly headBytesMax: number;
    readonly headersMax: number;
    readonly headMs: number;
    readonly keepAliveMs: number;
    /** Client connections, by worker. */
    readonly connectionsMax: number;
  };
  readonly forwarding: {
    /** Addresses and CIDR ranges whose `X-Forwarded-*` are appended to; everyone else's are replaced. */
    readonly trustedProxies: readonly string[];
    /** Adds `x-turnout-backend` and `x-turnout-epoch` to answers. */
    readonly exposeHeaders: boolean;
    /** The pseudonym in `Via`. */
    readonly via: string;
  };
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    /** The share of requests in the access log, 0 to 1. */
    readonly accessSample: number;
  };
  readonly shutdown: { readonly graceMs: number };
  /** What the operator should know although the configuration is usable. */
  readonly warnings: readonly Problem[];
}
