/**
 * The way in: the rooms are wired here, and the stages of a request stand in the order in which they run.
 */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { ConfigModel } from './config/model.ts';
import { HeldWrites } from './cutover/held-writes.ts';
import { InFlightWrites } from './cutover/in-flight-writes.ts';
import { LingeringWrites } from './cutover/lingering-writes.ts';
import { type ErrorCode, TurnoutError } from './errors.ts';
import { FallbackReads } from './forwarding/fallback-reads.ts';
import type { ForwardPolicy } from './forwarding/forward.ts';
import { OpenTunnels } from './forwarding/open-tunnels.ts';
import { Sender } from './forwarding/sender.ts';
import { StallWatch } from './forwarding/stall-watch.ts';
import { type TunnelClient, tunnel } from './forwarding/tunnel.ts';
import { type Answer, Http1Answer, Http2Answer } from './intake/answer.ts';
import { ClientConnections, TrustedProxies } from './intake/client-connection.ts';
import type { AttemptBook } from './intake/counted-attempt.ts';
import { Exchange } from './intake/exchange.ts';
import { createIdentity } from './intake/identity.ts';
import { Listener } from './intake/listener.ts';
import type { Backend } from './model.ts';
import { ServerResponse } from './node-http.ts';
import { accountExchange } from './pipeline/account-exchange.ts';
import { type Explanation, explainRequest, type HypotheticalRequest } from './pipeline/explain-request.ts';
import { FallbackJudge } from './pipeline/fallback-judge.ts';
import type { Identifier } from './pipeline/identity-of.ts';
import { logOfDefects } from './pipeline/log-of-defects.ts';
import { logOfKeys } from './pipeline/log-of-keys.ts';
import { markWrite } from './pipeline/mark-write.ts';
import { Pipeline, type Stage } from './pipeline/pipeline.ts';
import type { RouteTable } from './pipeline/route-of.ts';
import { chooseShadowRead, stillStands } from './pipeline/shadow-stage.ts';
import {
  type Deciding,
  decideBackend,
  identifyUser,
  isFencedOff,
  loadRecord,
  matchRoute,
  readHead,
  recordMembership,
  waitForRelease,
} from './pipeline/stages.ts';
import { mayStay, takeForWrite } from './pipeline/tunnels.ts';
import { compileRoutes } from './routing/router.ts';
import {
  createShadowReads,
  type GatewayShadow,
  type ShadowReports,
  type ShadowWiring,
} from './shadow/create-shadow-reads.ts';
import type { ShadowActivity } from './shadow/shadow-reads.ts';
import type { StateChange, StateMap } from './state/state-map.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { BackendClient } from './upstream/backend-client.ts';

export interface GatewayOptions {
  readonly config: ConfigModel;
  /** Started. */
  readonly state: StateMap;
  readonly telemetry: Telemetry;
  /** Where writes in flight are counted; shared with whoever acknowledges holds for this gateway. */
  readonly writes?: InFlightWrites;
  /** Fences the gateway besides the state map: others may take it for gone. */
  readonly fence?: { readonly fenced: boolean };
  /** Where shadow reads are told to. Without it there are none. */
  readonly reports?: ShadowReports | undefined;
  /** Where what is sent to the backends is counted, by the same clock. */
  readonly attempts?: AttemptBook | undefined;
  /** A monotonic clock, milliseconds. */
  readonly now?: () => number;
}

/** Listens when the promise resolves. Rejects with the listener's own error when it cannot. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new Gateway(options);
  await gateway.listen();
  return gateway;
}

/** What one version of the configuration is compiled to. A reload makes a new one. */
interface Compiled {
  readonly config: ConfigModel;
  readonly routes: RouteTable;
  readonly identifier: Identifier;
  readonly connections: ClientConnections;
  readonly policy: ForwardPolicy;
  readonly deciding: Deciding;
  readonly pipeline: Pipeline;
  readonly upgradePipeline: Pipeline;
}

export class Gateway {
  readonly state: StateMap;
  readonly #telemetry: Telemetry;
  readonly #now: () => number;
  readonly #clients: { readonly [B in Backend]: BackendClient };
  readonly #held: HeldWrites;
  readonly #writes: InFlightWrites;
  readonly #lingering: LingeringWrites;
  readonly #tunnels: OpenTunnels;
  readonly #fenced: () => boolean;
  readonly #stalls: StallWatch;
  readonly #listener: Listener;
  readonly #stopListening: () => void;
  readonly #shadow: GatewayShadow | undefined;
  readonly #fallback: FallbackReads | undefined;
  readonly #sender: Sender;
  readonly #attempts: AttemptBook | undefined;
  readonly #upgrades = new WeakMap<Exchange, TunnelClient>();
  #address = { host: '', port: 0 };
  #compiled: Compiled;
  #inFlight = 0;

  constructor(options: GatewayOptions) {
    const { config, state, telemetry, fence, reports, now = () => performance.now() } = options;
    this.state = state;
    this.#writes = options.writes ?? new InFlightWrites();
    this.#fenced = () => state.attachment === 'fenced' || fence?.fenced === true;
    this.#telemetry = telemetry;
    this.#now = now;
    this.#attempts = options.attempts;
    this.#clients = {
      legacy: new BackendClient('legacy', config.backends.legacy),
      new: new BackendClient('new', config.backends.new),
    };
    this.#held = new HeldWrites(config.cutover);
    this.#stalls = new StallWatch(Math.min(config.backends.legacy.bodyMs, config.backends.new.bodyMs), now);
    this.#lingering = new LingeringWrites(now);
    this.#tunnels = new OpenTunnels(
      (exchange) => mayStay(exchange, this.#compiled.deciding),
      (exchange) => this.#telemetry.tunnelClosed(exchange.backend ?? 'legacy'),
    );
    this.#stopListening = state.onChange((change) => this.#onState(change));
    if (reports !== undefined) {
      const stands: ShadowWiring['stands'] = (read) => stillStands(read, this.#compiled.deciding);
      this.#shadow = createShadowReads({ config, reports, telemetry, stands, now });
    }
    if (state.marks !== undefined) {
      this.#fallback = new FallbackReads({
        settings: config.guard.fallback,
        judge: new FallbackJudge(() => this.#compiled.deciding, state.marks),
        legacy: this.#clients.legacy,
        onOutcome: (cohort, outcome) => telemetry.fallbackRead(cohort, outcome),
      });
    }
    this.#sender = new Sender(this.#fallback);
    this.#compiled = this.#compile(config);
    this.#listener = new Listener(config, {
      onRequest: (request, response) => this.#onRequest(request, response),
      onUpgrade: (request, socket, early) => this.#onUpgrade(request, socket, early),
      onRefused: (code) => this.#telemetry.cell('none', undefined, undefined, 'read').record(code, 0, 0),
      onBrokenBody: (socket) => this.#sender.onBrokenBody(socket),
    });
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }

  get config(): ConfigModel {
    return this.#compiled.config;
  }

  /** Requests that have no whole answer yet, tunnels included. */
  inFlight(): number {
    return this.#inFlight;
  }

  /** What shadow reads have under way; `undefined` where there are none. */
  shadowActivity(): ShadowActivity | undefined {
    return this.#shadow?.reads.activity;
  }

  async listen(): Promise<void> {
    // The first requests should not wait for keys. Bounded, and not fatal: a token fetches what is missing.
    await this.#compiled.identifier.warmUp();
    this.#address = await this.#listener.listen();
  }

  /** Where a request would go, and why. Changes nothing. */
  explain(request: HypotheticalRequest): Promise<Explanation> {
    const { routes, identifier, config } = this.#compiled;
    return explainRequest(request, {
      routes,
      identifier,
      anonymous: config.anonymous,
      snapshot: () => this.state.snapshot,
      recordOf: (user) => this.state.cached(user) ?? this.state.load(user),
    });
  }

  /**
   * Takes a new configuration for the requests to come; those under way end by the old one. Listeners,
   * backends and stores keep what they were started with.
   */
  reload(next: ConfigModel): void {
    this.#compiled = this.#compile({ ...next, backends: this.config.backends, listen: this.config.listen });
    void this.#compiled.identifier.warmUp();
    this.#held.reconfigure(next.cutover);
    this.#shadow?.reconfigure(this.config);
    this.#fallback?.reconfigure(next.guard.fallback);
    this.#listener.renewCertificate(this.config.listen);
  }

  /**
   * Stops accepting, lets what is in flight end, closes idle connections.
   *
   * @param options.graceMs bound on the whole, milliseconds; what is left then is cut
   */
  async close({ graceMs = this.config.shutdown.graceMs } = {}): Promise<{ cut: number }> {
    // First: whoever stops has users to finish with.
    this.#shadow?.reads.stop();
    const cut = await this.#listener.close(graceMs);
    this.#stopListening();
    this.#lingering.close();
    await this.#shadow?.close();
    this.#clients.legacy.destroy();
    this.#clients.new.destroy();
    return { cut };
  }

  #compile(config: ConfigModel): Compiled {
    const { cutover, anonymous, limits, forwarding, backends } = config;
    const routes: RouteTable = compileRoutes(config.routes);
    const identifier: Identifier = createIdentity(config.identity, {
      observer: logOfKeys(this.#telemetry.log),
    });
    const deciding: Deciding = {
      state: this.state,
      fenced: this.#fenced,
      writes: this.#writes,
      anonymous,
      staleReads: cutover.staleReads,
    };
    const policy: ForwardPolicy = {
      fencedOff: (exchange) => isFencedOff(exchange, deciding),
      pseudonym: forwarding.via,
      via: `1.1 ${forwarding.via}`,
      exposed: forwarding.exposeHeaders ? (exchange) => this.#exposed(exchange) : undefined,
      stalls: this.#stalls,
      clientStallMs: Math.max(backends.legacy.bodyMs, backends.new.bodyMs),
      now: this.#now,
      attempts: this.#attempts,
      onRetry: (backend) => this.#telemetry.retried(backend),
    };
    const stages = (classify: Stage[], last: Stage[]): Stage[] => [
      // First: nothing of an unclean request may be believed.
      readHead(limits.headersMax),
      // Before identity: the route captures path parameters, and says whether a user is required.
      matchRoute(routes),
      ...classify,
      // Before the state: it is the user's state that counts.
      identifyUser(identifier, this.#telemetry),
      // The only read of the state map; without waiting for a cached user.
      loadRecord(this.state),
      // Pure: everything that it needs has been collected.
      decideBackend(deciding),
      // Before anything acts on a placement by rule, so that it stays what it is.
      recordMembership(deciding),
      // After all that may wait for long, so that a write leaves for the truth of this very moment.
      waitForRelease(deciding, this.#held, this.#telemetry, this.#now),
      // Last, when it is certain where the write goes, and before the backend has a byte of it.
      markWrite(this.state),
      ...last,
    ];
    const send: Stage = (exchange) => this.#sender.send(exchange, this.#clientOf(exchange), policy);
    // By the decision that holds, and before the request is sent: what is chosen is kept while it passes.
    const choose = this.#shadow === undefined ? [] : [chooseShadowRead(deciding, this.#shadow.reads)];
    const pipelineOf = (all: Stage[]): Pipeline =>
      new Pipeline(all, this.#now, logOfDefects(this.#telemetry.log));
    return {
      config,
      routes,
      identifier,
      connections: new ClientConnections(new TrustedProxies(forwarding.trustedProxies)),
      policy,
      deciding,
      pipeline: pipelineOf(stages([], [...choose, send])),
      upgradePipeline: pipelineOf(stages([takeForWrite], [(exchange) => this.#tunnel(exchange, policy)])),
    };
  }

  #onRequest(
    request: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ): void {
    const answer = response instanceof ServerResponse ? new Http1Answer(response) : new Http2Answer(response);
    const exchange = this.#open(request, answer);
    response.on('close', () => exchange.closed());
    if (this.#listener.closing) answer.closeAfter();
    this.#compiled.pipeline.run(exchange);
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, early: Buffer): void {
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    const exchange = this.#open(request, new Http1Answer(response));
    this.#upgrades.set(exchange, { socket, early, detach: () => response.detachSocket(socket) });
    socket.on('error', () => undefined).once('close', () => exchange.closed());
    response.once('finish', () => socket.destroySoon());
    this.#compiled.upgradePipeline.run(exchange);
  }

  #open(request: IncomingMessage | Http2ServerRequest, answer: Answer): Exchange {
    const connection = this.#compiled.connections.of(request.socket);
    this.#inFlight += 1;
    return new Exchange(request, answer, connection, this, this.#now());
  }

  #clientOf(exchange: Exchange): BackendClient {
    return this.#clients[exchange.backend ?? 'legacy'];
  }

  #tunnel(exchange: Exchange, policy: ForwardPolicy): void {
    const upgrade = this.#upgrades.get(exchange);
    if (upgrade === undefined) throw new TurnoutError('internal');
    tunnel(exchange, upgrade, this.#clientOf(exchange), policy, this.#tunnels);
  }

  #onState(change: StateChange): void {
    this.#held.onChange(change);
    if (change.kind === 'attachment') return;
    const user = change.kind === 'user' ? change.user : undefined;
    this.#tunnels.review(user);
    this.#fallback?.review(user);
  }

  #exposed(exchange: Exchange): readonly string[] {
    const { epoch } = this.state.snapshot;
    return ['x-turnout-backend', exchange.backend ?? 'none', 'x-turnout-epoch', String(epoch)];
  }

  onEnd(exchange: Exchange, status: number, failure: ErrorCode | undefined): void {
    this.#inFlight -= 1;
    const { unansweredWriteMs } = this.config.cutover;
    // Nobody waits for the answer any more, but the backend may still be at work.
    if (exchange.atBackend && unansweredWriteMs > 0)
      this.#lingering.add(exchange, exchange.user, unansweredWriteMs);
    else this.#writes.end(exchange, exchange.user);
    this.#tunnels.remove(exchange);
    this.#fallback?.end(exchange);
    accountExchange(exchange, status, failure, this.#telemetry, this.#now());
  }
}
