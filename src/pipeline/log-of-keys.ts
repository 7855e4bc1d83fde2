import type { JwksObserver } from '../intake/jwks.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** Logs what becomes of the keys that tokens are verified with. */
export function logOfKeys(log: Telemetry['log']): JwksObserver {
  return {
    identityKeysLoaded: (url, keys) => {
      log.info({ event: 'identity_keys_loaded', url, keys }, 'keys to verify tokens were loaded');
    },
    identityKeysFailed: (url, cause) => {
      log.warn({ event: 'identity_keys_failed', url, err: cause }, 'keys could not be fetched');
    },
  };
}
