/**
 * The configuration as it is written: every key, its default and its bounds. `model.ts` has what is made of
 * it; `config/turnout.yaml` shows the same keys to people, and a test holds the two together.
 */
import { type Static, Type } from '@sinclair/typebox';
import { GuardSchema } from './guard-schema.ts';
import { IdentitySchema } from './identity-schema.ts';
import { CohortSchema, RouteSchema } from './route-schema.ts';
import {
  bytes,
  choice,
  count,
  flag,
  headerName,
  list,
  mapping,
  milliseconds,
  path,
  section,
  share,
  text,
  variants,
} from './schema-terms.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const host = () => text({ default: '127.0.0.1', maxLength: 255, expected: 'a host name or an IP address' });
const port = (byDefault: number) =>
  Type.Integer({ default: byDefault, minimum: 0, maximum: 65_535, expected: 'a port from 0 to 65535' });

export const ListenSchema = section({
  host: host(),
  port: port(8080),
  tls: Type.Optional(mapping({ certFile: path(), keyFile: path() })),
});

/** `auto` or a number: one schema of two types, so that a wrong value gives one problem and not two. */
export const WorkersSchema = Type.Unsafe<number | 'auto'>({
  type: ['integer', 'string'],
  minimum: 1,
  maximum: 256,
  pattern: '^auto$',
  default: 1,
  expected: 'auto or a whole number from 1 to 256',
});

export const TokenSchema = mapping(
  {
    name: text({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$',
      expected: 'a name of letters, digits and . _ @ -',
    }),
    role: choice(['viewer', 'operator', 'admin']),
    token: Type.Optional(text({ minLength: 0, secret: true, expected: 'a token of at least 16 characters' })),
    tokenFile: Type.Optional(path()),
    tokenHash: Type.Optional(
      text({
        pattern: '^(sha256:)?[0-9a-fA-F]{64}$',
        secret: true,
        expected: 'the SHA-256 of a token, 64 hexadecimal digits in quotes',
      }),
    ),
  },
  { secret: true },
);

export const AdminSchema = section({
  listen: section({ host: host(), port: port(8081) }),
  tokens: list(TokenSchema, { default: [] }),
});

export const BackendSchema = mapping({
  url: text({ secret: true, expected: 'an http or https URL' }),
  connectMs: milliseconds(1000, 1, MINUTE_MS),
  headersMs: milliseconds(30_000, 1, HOUR_MS),
  bodyMs: milliseconds(30_000, 1, HOUR_MS),
  connectionsMax: count(256, 1, 100_000),
  queueMax: count(1024, 0, 1_000_000),
  keepAliveMs: milliseconds(4000, 1, HOUR_MS),
  hostHeader: choice(['client', 'backend'], 'client'),
  tls: section({
    caFile: Type.Optional(path()),
    certFile: Type.Optional(path()),
    keyFile: Type.Optional(path()),
    serverName: Type.Optional(text({ maxLength: 255, expected: 'a host name' })),
    verify: flag(true),
  }),
});

const userCacheMax = () => count(200_000, 1, 10_000_000);

export const StateSchema = variants(
  'kind',
  [
    mapping({ kind: Type.Literal('embedded'), userCacheMax: userCacheMax() }),
    mapping(
      {
        kind: Type.Literal('redis'),
        mode: choice(['single', 'cluster', 'sentinel'], 'single'),
        url: Type.Optional(text({ secret: true, expected: 'a redis:// or rediss:// URL' })),
        nodes: list(text({ secret: true, expected: 'host:port' }), { default: [], maxItems: 100 }),
        sentinelName: Type.Optional(text({ maxLength: 128 })),
        username: Type.Optional(text({ secret: true })),
        password: Type.Optional(text({ secret: true })),
        tls: flag(false),
        keyPrefix: text({
          default: 'turnout',
          pattern: '^[A-Za-z0-9_.:-]{1,64}$',
          expected: '1 to 64 letters, digits and _ . : -',
        }),
        userBuckets: count(65_536, 1, 16_777_216),
        userCacheMax: userCacheMax(),
        commandMs: milliseconds(1000, 1, MINUTE_MS),
      },
      { secret: true },
    ),
  ],
  { default: { kind: 'embedded' } },
);

export const RecordSchema = variants(
  'kind',
  [
    mapping({
      kind: Type.Literal('embedded'),
      dir: text({ default: './data', expected: 'the path of a folder' }),
    }),
    mapping(
      {
        kind: Type.Literal('postgres'),
        url: text({ secret: true, expected: 'a postgres:// URL' }),
        poolMax: count(10, 1, 1000),
        statementMs: milliseconds(1000, 1, MINUTE_MS),
      },
      { secret: true },
    ),
  ],
  { default: { kind: 'embedded' } },
);

export const ShadowSchema = section({
  concurrencyMax: count(64, 1, 10_000),
  deadlineMs: milliseconds(5000, 1, 600_000),
  bodyBytesMax: bytes(1_048_576, 0, 1_073_741_824),
  confirmAfterMs: milliseconds(500, 0, 600_000),
  noiseSample: share(0.1),
  replayHeaders: list(
    mapping(
      { name: headerName(), value: text({ secret: true, expected: 'the value of a header' }) },
      { secret: true },
    ),
    { default: [], maxItems: 50, expected: 'a list of headers such as { name: authorization, value: … }' },
  ),
  redact: list(
    text({ pattern: '^\\$', maxLength: 1024, expected: 'a path into the document such as $.user.name' }),
    {
      default: [],
      expected: 'a list of paths into documents',
    },
  ),
  redactNames: list(text({ maxLength: 256 }), { default: [], expected: 'a list of names of fields' }),
  sampleDays: count(14, 1, 90),
});

export const CutoverSchema = section({
  holdMaxMs: milliseconds(5000, 1, 600_000),
  drainMaxMs: milliseconds(3000, 1, 600_000),
  selfFenceAfterMs: milliseconds(10_000, 100, 600_000),
  heldWritesMax: count(1000, 0, 1_000_000),
  staleReads: choice(['serve', 'refuse'], 'serve'),
  unansweredWriteMs: milliseconds(1000, 0, 60_000),
});

export const LimitsSchema = section({
  headBytesMax: bytes(16_384, 1024, 1_048_576),
  headersMax: count(100, 1, 10_000),
  headMs: milliseconds(10_000, 100, 600_000),
  keepAliveMs: milliseconds(65_000, 1, HOUR_MS),
  connectionsMax: count(10_000, 1, 1_000_000),
});

export const ForwardingSchema = section({
  trustedProxies: list(text({ maxLength: 64, expected: 'an IP address or a range such as 10.0.0.0/8' }), {
    default: [],
  }),
  exposeHeaders: flag(false),
  via: text({
    default: 'turnout',
    pattern: '^[A-Za-z0-9._-]{1,64}$',
    expected: '1 to 64 letters, digits and . _ -',
  }),
});

export const LogSchema = section({
  level: choice(['debug', 'info', 'warn', 'error'], 'info'),
  accessSample: share(0),
});

export const ShutdownSchema = section({ graceMs: milliseconds(30_000, 0, HOUR_MS) });

export const ConfigSchema = mapping({
  listen: ListenSchema,
  workers: WorkersSchema,
  admin: AdminSchema,
  backends: mapping(
    { legacy: BackendSchema, new: BackendSchema },
    { expected: 'a mapping with `legacy` and `new`' },
  ),
  state: StateSchema,
  record: RecordSchema,
  identity: list(IdentitySchema, { default: [], maxItems: 20 }),
  anonymous: choice(['legacy', 'new'], 'legacy'),
  cohorts: list(CohortSchema, { default: [] }),
  routes: list(RouteSchema, { default: [] }),
  shadow: ShadowSchema,
  guard: GuardSchema,
  cutover: CutoverSchema,
  limits: LimitsSchema,
  forwarding: ForwardingSchema,
  log: LogSchema,
  shutdown: ShutdownSchema,
});

export type ListenWritten = Static<typeof ListenSchema>;
export type AdminWritten = Static<typeof AdminSchema>;
export type TokenWritten = Static<typeof TokenSchema>;
export type BackendWritten = Static<typeof BackendSchema>;
export type StateWritten = Static<typeof StateSchema>;
export type RecordWritten = Static<typeof RecordSchema>;
export type ConfigWritten = Static<typeof ConfigSchema>;
export type CutoverWritten = Static<typeof CutoverSchema>;
