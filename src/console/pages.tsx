/** The pages: where each is in the address, and what it is called. Those with a `nav` are in the navigation, in this order. */
import type { ComponentType } from 'preact';
import { Audit } from './pages/audit.tsx';
import { CohortPage } from './pages/cohort.tsx';
import { Coverage } from './pages/coverage.tsx';
import { Explain } from './pages/explain.tsx';
import { Gateways } from './pages/gateways.tsx';
import { Mismatches } from './pages/mismatches.tsx';
import { Overview } from './pages/overview.tsx';
import { Users } from './pages/users.tsx';

export interface PageProps {
  /** The part of the path after the page's own: a cohort, a group, a user. */
  readonly rest: readonly string[];
}

export interface PageEntry {
  /** The first part of the path; empty for the overview. */
  readonly path: string;
  readonly nav: string | undefined;
  readonly page: ComponentType<PageProps>;
}

export const PAGES: readonly PageEntry[] = [
  { path: '', nav: 'Overview', page: Overview },
  { path: 'mismatches', nav: 'Mismatches', page: Mismatches },
  { path: 'coverage', nav: 'Coverage', page: Coverage },
  { path: 'users', nav: 'Users', page: Users },
  { path: 'explain', nav: 'Explain', page: Explain },
  { path: 'audit', nav: 'Audit', page: Audit },
  { path: 'cohorts', nav: undefined, page: CohortPage },
  { path: 'gateways', nav: 'Gateways', page: Gateways },
];
