/**
 * The names of everything that is logged: the `event` field of each line. A fixed list, so that an alert on
 * a name does not depend on the words of a message. `docs/operation.md` explains them to operators.
 */
export const EVENTS = [
  // life of a process
  'starting',
  'listening',
  'stopping',
  'stopped',
  'start_failed',
  'defect',
  // configuration
  'config_reloaded',
  'config_rejected',
  'config_needs_restart',
  // workers
  'worker_started',
  'worker_exited',
  'worker_replaced',
  'worker_silent',
  'workers_replacing',
  'primary_lost',
  // requests
  'request',
  'request_failed',
  'connection_cut',
  // state map
  'state_attached',
  'state_detached',
  'state_fenced',
  'state_reset',
  'cohort_seeded',
  // identity
  'identity_keys_loaded',
  'identity_keys_failed',
  // admin
  'admin_listening',
  'admin_token_refused',
  'admin_request_failed',
] as const;

export type EventName = (typeof EVENTS)[number];
