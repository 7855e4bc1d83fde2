import { ApiProblem } from './api.ts';

/** Whatever was thrown, as something that can be shown. A defect of the console says so. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ApiProblem(0, 'defect', 'A defect of this page', detail);
}
