/** What the demo prints once it runs: what is where, and what to try next. */
export interface BannerFacts {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly legacyUrl: string;
  readonly newUrl: string;
  readonly faults: boolean;
  readonly dataDir: string;
  /** Whether the traffic generator finds the gateway without being told where it is. */
  readonly defaultPort: boolean;
}

export function banner(facts: BannerFacts): string[] {
  const { gatewayUrl, adminUrl, legacyUrl, newUrl, faults, dataDir, defaultPort } = facts;
  const traffic = `npm run turnout -- demo --traffic${defaultPort ? '' : ` --url ${gatewayUrl}`}`;
  return [
    'Turnout is running.',
    '',
    `  gateway      ${gatewayUrl}   send requests here`,
    `  admin        ${adminUrl}   status, explain, metrics`,
    `  legacy shop  ${legacyUrl}`,
    `  new shop     ${newUrl}   ${faults ? 'with three seeded faults' : 'without its seeded faults'}`,
    `  data         ${dataDir}   kept when it stops`,
    '',
    'Try next, in another terminal (x-shop in the answer says who gave it):',
    '',
    '  # a user who is still on the legacy shop, and one who is on the new one',
    `  curl -i -H 'x-user-id: u-17' ${gatewayUrl}/api/profile`,
    `  curl -i -H 'x-user-id: u-42' -H 'x-plan: staff' ${gatewayUrl}/api/profile`,
    '',
    '  # why',
    `  curl '${adminUrl}/api/v1/explain?user=u-42&path=/api/profile&header.x-plan=staff'`,
    '',
    '  # the state of it all, and the figures',
    `  curl ${adminUrl}/api/v1/status`,
    `  curl ${adminUrl}/metrics`,
    '',
    '  # a minute of traffic by 300 users',
    `  ${traffic}`,
    '',
    'docs/demo.md is a tour of five minutes. Ctrl-C stops everything.',
  ];
}
