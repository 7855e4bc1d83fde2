/** What the demo prints once it runs: what is where, and what to try next. */
export interface BannerFacts {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly legacyUrl: string;
  readonly legacyPid: number | undefined;
  readonly newUrl: string;
  readonly newPid: number | undefined;
  readonly faults: boolean;
  readonly dataDir: string;
  /** Whether the traffic generator finds the gateway without being told where it is. */
  readonly defaultPort: boolean;
  /** The same for the commands that ask the admin listener. */
  readonly defaultAdminPort: boolean;
}

export function banner(facts: BannerFacts): string[] {
  const {
    gatewayUrl,
    adminUrl,
    legacyUrl,
    legacyPid,
    newUrl,
    newPid,
    faults,
    dataDir,
    defaultPort,
    defaultAdminPort,
  } = facts;
  const run = 'npm run -s turnout --';
  const cli = defaultAdminPort ? run : `TURNOUT_ADMIN_URL=${adminUrl} ${run}`;
  const traffic = `${run} demo --traffic${defaultPort ? '' : ` --url ${gatewayUrl}`}`;
  return [
    'Turnout is running.',
    '',
    `  gateway      ${gatewayUrl}   send requests here`,
    `  admin        ${adminUrl}   the console, in a browser; status, explain, metrics`,
    `  legacy shop  ${legacyUrl}   process ${legacyPid ?? 'unknown'}`,
    `  new shop     ${newUrl}   process ${newPid ?? 'unknown'}, ${faults ? 'with three seeded faults' : 'without its seeded faults'}`,
    `  data         ${dataDir}   kept when it stops`,
    '',
    'Try next, in another terminal (x-shop in the answer says who gave it):',
    '',
    '  # a user who is still on the legacy shop, and one who is on the new one',
    `  curl -i -H 'x-user-id: u-17' ${gatewayUrl}/api/profile`,
    `  curl -i -H 'x-user-id: u-42' -H 'x-plan: staff' ${gatewayUrl}/api/profile`,
    '',
    '  # why',
    `  ${cli} explain --user u-42 --path /api/profile -H 'x-plan: staff'`,
    '',
    '  # the state of it all, and the figures',
    `  ${cli} status`,
    `  curl ${adminUrl}/metrics`,
    '',
    '  # a minute of traffic by 300 users',
    `  ${traffic}`,
    '',
    'docs/demo.md is a tour of five minutes. Ctrl-C stops everything.',
  ];
}
