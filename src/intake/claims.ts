/** The claims of a verified token, as the rules of cohorts and the identity sources see them. */

/** Looks up claims as text. */
export class TokenClaims {
  readonly #claims: object;

  /** @param claims the payload of a token; not changed afterwards */
  constructor(claims: object) {
    this.#claims = claims;
  }

  /**
   * A claim as text: strings as they are, numbers and booleans as JSON writes them. `null`, objects and
   * arrays are absent: a rule compares one text, and joined elements would match what nobody wrote. A dotted
   * name leads into objects (`realm.plan`) and, by index, into arrays (`roles.0`); a claim whose own name
   * has dots (`https://example.com/plan`) comes first.
   */
  get(name: string): string | undefined {
    const value = claimAt(this.#claims, name);
    switch (typeof value) {
      case 'string':
        return value;
      case 'number':
      case 'boolean':
        return String(value);
      default:
        return undefined;
    }
  }

  /**
   * The claim that names a user: a string, or a whole number that JSON numbers can tell from its neighbours.
   * @returns `undefined` if the claim is absent, `null` if it is of another kind
   */
  user(name: string): string | null | undefined {
    const value = claimAt(this.#claims, name);
    if (value === undefined) return undefined;
    if (typeof value === 'string') return value;
    // Beyond 2^53 two users would be one.
    return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : null;
  }
}

function claimAt(claims: unknown, name: string): unknown {
  if (typeof claims !== 'object' || claims === null) return undefined;
  // Own properties only: `constructor` is no claim.
  if (Object.hasOwn(claims, name)) return Reflect.get(claims, name);
  for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
    const head = name.slice(0, dot);
    if (Object.hasOwn(claims, head)) {
      const value = claimAt(Reflect.get(claims, head), name.slice(dot + 1));
      if (value !== undefined) return value;
    }
  }
  return undefined;
}
