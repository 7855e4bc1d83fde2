/**
 * Waits for an event that has to come, with a bound, so that a test that waits for something which never
 * happens says for what instead of hanging.
 *
 * @param ms a generous bound: it only decides how long a failing test takes
 */
export async function within<T>(promise: Promise<T>, what: string, ms = 10_000): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`waited ${ms} ms in vain for ${what}`));
  }, ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
