/** Where the two backends differ: the list of groups, and one of them. */
import { GroupList } from '../evidence/group-list.tsx';
import { GroupPage } from '../evidence/group-page.tsx';
import type { PageProps } from '../pages.tsx';
import '../styles/evidence.css';

export function Mismatches({ rest }: PageProps) {
  const [id] = rest;
  return id === undefined ? <GroupList /> : <GroupPage key={id} id={id} />;
}
