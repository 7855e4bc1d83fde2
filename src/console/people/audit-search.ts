/** The audit's filters, as they stand in the address and as the API takes them. Pure. */
import type { ChangeDocument } from '../../admin/control-documents.ts';

export type ChangeKind = ChangeDocument['kind'];

export const KINDS = [
  'stage',
  'rollback',
  'cohort-create',
  'cohort-edit',
  'cohort-delete',
  'pin',
  'unpin',
  'members-add',
  'members-remove',
  'reassign',
] as const satisfies readonly ChangeKind[];

const FILTERS = ['cohort', 'user', 'kind', 'open', 'cursor'];

/** @returns what the API is asked; what it does not know of the address is left out */
export function auditSearch(query: URLSearchParams): URLSearchParams {
  const search = new URLSearchParams({ limit: '50' });
  for (const name of FILTERS) {
    const value = query.get(name)?.trim() ?? '';
    if (value !== '' && isKnown(name, value)) search.set(name, value);
  }
  return search;
}

function isKnown(name: string, value: string): boolean {
  if (name === 'kind') return KINDS.some((kind) => kind === value);
  return name !== 'open' || value === 'true';
}
