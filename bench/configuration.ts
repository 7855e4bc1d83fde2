/** The configuration that gateways are measured with: one worker, metrics on, the user from a header, real stores. */

export interface MeasuredGateway {
  readonly port: number;
  readonly adminPort: number;
  /** Ports of `legacy` and `new`. */
  readonly backends: readonly number[];
  readonly redisPort: number;
  readonly postgresUrl: string;
  readonly userHeader: string;
  /** YAML of more keys of `state`, such as `userCacheMax: 10`. */
  readonly state?: readonly string[];
  /** YAML of more keys of each backend. */
  readonly backend?: readonly string[];
  /** YAML of the items of `cohorts`. */
  readonly cohorts: readonly string[];
  /** YAML of the items of `routes`; all paths by one if there are none. */
  readonly routes?: readonly string[];
}

export function gatewayYaml(gateway: MeasuredGateway): string {
  const { port, adminPort, backends, redisPort, postgresUrl, userHeader } = gateway;
  const { state = [], backend = [], cohorts, routes = ['{ match: "/*" }'] } = gateway;
  const [legacy, second] = backends.map((each) =>
    ['{ url: "http://127.0.0.1:', each, '"', ...backend.map((key) => `, ${key}`), ' }'].join(''),
  );
  const redis = [`url: "redis://127.0.0.1:${redisPort}"`, 'keyPrefix: turnout', ...state];
  return `
listen: { host: 127.0.0.1, port: ${port} }
workers: 1
admin: { listen: { host: 127.0.0.1, port: ${adminPort} } }
backends:
  legacy: ${legacy}
  new: ${second}
state: { kind: redis, ${redis.join(', ')} }
record: { kind: postgres, url: "${postgresUrl}" }
identity:
  - { from: header, name: ${userHeader}, trusted: true }
anonymous: legacy
cohorts:
${cohorts.map((item) => `  - ${item}`).join('\n')}
routes:
${routes.map((item) => `  - ${item}`).join('\n')}
`;
}
