/**
 * Settles as `work` does, unless that takes longer than `ms`: then it rejects. The work itself goes on; its
 * late failure is nobody's, so it is swallowed.
 * @param what whose answer is waited for, in words: it begins the message
 */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
