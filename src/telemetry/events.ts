/**
 * The names of everything that is logged: the `event` field of each line. A fixed list, so that an alert on a
 * name does not depend on the words of a message. `docs/log-events.md` explains them to operators, and a test
 * holds this list, the code and that page together.
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
  'config_warning',
  'config_reloaded',
  'config_rejected',
  'config_needs_restart',
  // workers
  'worker_started',
  'worker_exited',
  'worker_silent',
  'workers_replacing',
  'worker_replaced',
  'primary_lost',
  // requests
  'request',
  // state map
  'state_attached',
  'state_detached',
  'state_lost',
  'state_rebuilt',
  'state_not_seeded',
  'cohort_not_seeded',
  'state_buckets',
  'state_listener_failed',
  'user_record_unreadable',
  'change_not_confirmed',
  'change_not_settled',
  'change_not_repaired',
  'changes_not_reconciled',
  'placements_delayed',
  'placements_refused',
  'placements_lost',
  'placement_not_repeated',
  'marks_delayed',
  'marks_dropped',
  'marks_not_swept',
  // record
  'record_unreachable',
  'record_connection_lost',
  // reports
  'reports_delayed',
  'reports_lost',
  'mismatch_reopened',
  'rules_changed',
  'rules_unusable',
  // guard
  'counts_dropped',
  'counts_told',
  'counts_unreadable',
  'slots_delayed',
  'guard_tripped',
  'guard_in_force',
  'guard_cleared',
  'guard_delayed',
  'guard_blind',
  'guard_sees',
  'guard_tick_failed',
  'guard_without_record',
  'guard_hook_retried',
  'guard_hook_failed',
  'ramp_ordered',
  'ramp_moved',
  'ramp_delayed',
  // cutover
  'change_moved',
  'change_over',
  'change_recovered',
  'change_stuck',
  'gateway_not_registered',
  'gateway_not_deregistered',
  // identity
  'identity_keys_loaded',
  'identity_keys_failed',
  // admin listener
  'admin_token_refused',
  'admin_request_failed',
  'gateway_evicted',
  'live_view_failed',
] as const;

export type EventName = (typeof EVENTS)[number];
