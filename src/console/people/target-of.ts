/** The request target of an address, as it would stand in the request's first line. Pure. */

export interface Target {
  /** Path and query, as they were written: the gateway judges them before anybody makes them nicer. */
  readonly target: string;
  /** `undefined` when only a path was given. */
  readonly host: string | undefined;
}

/** @throws SyntaxError when it is neither an address nor a path */
export function targetOf(address: string): Target {
  const [bare = ''] = address.split('#');
  if (bare.startsWith('/')) return { target: bare, host: undefined };
  const match = /^(?:https?:\/\/)?(?:[^/?@]*@)?([^/?@:\s]+|\[[^\]]+\])(:\d+)?([/?].*)?$/isu.exec(bare);
  const [, name, port = '', rest = '/'] = match ?? [];
  if (name === undefined) throw new SyntaxError(`“${address}” is no address of HTTP.`);
  return { target: rest.startsWith('/') ? rest : `/${rest}`, host: `${name}${port}` };
}
