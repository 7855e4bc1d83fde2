/**
 * The routes.
 */
import { compileRules } from '../comparison/compile-rules.ts';
import type { RulesWritten } from '../comparison/rules-written.ts';
import { compilePattern, type Pattern, patternProblem } from '../routing/pattern.ts';
import { DEFAULT_ROUTE } from '../routing/router.ts';
import type { RouteModel } from './model.ts';
import type { Place } from './place.ts';
import type { Reading } from './reading.ts';
import type { RouteShadowWritten, RouteWritten } from './route-schema.ts';

/** A route with what is needed to compare it with others. */
export interface ReadRoute {
  readonly model: RouteModel;
  readonly pattern: Pattern;
}

/** @returns the route; `undefined` if its pattern has a problem, reported */
export function readRoute(written: RouteWritten, place: Place, reading: Reading): ReadRoute | undefined {
  const { report } = reading;
  checkCombination(written, place, reading);
  const shadow = readShadow(written.shadow, [...place, 'shadow'], reading);
  const problem = patternProblem(written.match);
  if (problem !== undefined) {
    report.problem([...place, 'match'], problem, { expected: 'a path such as /api/*' });
    return undefined;
  }
  if (written.methods.includes('CONNECT')) {
    report.problem([...place, 'methods'], 'CONNECT is not served: Turnout is a reverse proxy');
  }
  const model: RouteModel = {
    name: written.name ?? [written.methods.join(','), written.match].join(' ').trim(),
    match: written.match,
    methods: written.methods,
    class: written.class,
    backend: written.backend,
    shadow: shadow.sample > 0,
    shadowSample: shadow.sample,
    compare: shadow.compare,
    mirror: written.mirror,
    requireUser: written.requireUser,
  };
  return { model, pattern: compilePattern(written.match) };
}

/** Settings that contradict each other: one of them could never have an effect. */
function checkCombination(written: RouteWritten, place: Place, { report }: Reading): void {
  const hasShadow = typeof written.shadow === 'object';
  if (written.backend !== undefined) {
    const why = 'this route has a fixed `backend`: nothing of it is sent to the other one';
    if (hasShadow) report.problem([...place, 'shadow'], why);
    if (written.mirror) report.problem([...place, 'mirror'], why);
    return;
  }
  if (written.class === 'write' && hasShadow) {
    report.problem([...place, 'shadow'], 'this route has `class: write`, and only reads are shadowed');
  }
  if (written.class === 'read' && written.mirror) {
    report.problem([...place, 'mirror'], 'this route has `class: read`, and only writes are mirrored');
  }
}

function readShadow(
  written: boolean | RouteShadowWritten,
  place: Place,
  { report }: Reading,
): { readonly sample: number; readonly compare: RulesWritten | undefined } {
  if (typeof written === 'boolean') {
    if (written) report.problem(place, 'expected false, or a mapping such as { sample: 1 }; found true');
    return { sample: 0, compare: undefined };
  }
  const { compare } = written;
  for (const { place: inside, expected, why } of compileRules(compare ?? {}).problems) {
    const message = `expected ${expected}${why === undefined ? '' : `: ${why}`}`;
    report.problem([...place, 'compare', ...inside], message, { expected });
  }
  if (compare?.headers === undefined) return { sample: written.sample, compare };
  const headers = compare.headers.map((name) => name.toLowerCase());
  return { sample: written.sample, compare: { ...compare, headers } };
}

/** Names are unique, and every route can be reached. */
export function checkRoutesTogether(
  routes: readonly (ReadRoute | undefined)[],
  place: Place,
  { report }: Reading,
): void {
  const names = new Map<string, number>([[DEFAULT_ROUTE.name, -1]]);
  routes.forEach((route, index) => {
    if (route === undefined) return;
    const covering = coveredBy(route, routes.slice(0, index));
    if (covering !== undefined) {
      report.problem(
        [...place, index],
        `this route can never match: ${covering} before it takes every request of it`,
      );
      return;
    }
    const other = names.get(route.model.name);
    if (other === -1) {
      report.problem(
        [...place, index, 'name'],
        `\`${route.model.name}\` is the name of what no route takes; choose another`,
      );
    } else if (other !== undefined) {
      report.problem(
        [...place, index, 'name'],
        `routes[${other}] is named \`${route.model.name}\` too; give one of them another \`name\``,
      );
    }
    names.set(route.model.name, index);
  });
}

/** The earlier routes, in words, that together take every request of this one. */
function coveredBy(route: ReadRoute, earlier: readonly (ReadRoute | undefined)[]): string | undefined {
  const missing = new Set(route.model.methods);
  const covering: string[] = [];
  for (const [index, other] of earlier.entries()) {
    if (other === undefined || !coversPath(other.pattern, route.pattern)) continue;
    const { methods } = other.model;
    if (methods.length === 0) return `routes[${index}] (${other.model.match})`;
    const taken = methods.filter((method) => missing.delete(method));
    if (taken.length > 0) covering.push(`routes[${index}] (${other.model.match})`);
    if (taken.length > 0 && missing.size === 0) return covering.join(' and ');
  }
  return undefined;
}

/** Whether every path that meets `inner` meets `outer`. */
function coversPath(outer: Pattern, inner: Pattern): boolean {
  const { segments, rest } = outer.raw;
  const innerSegments = inner.raw.segments;
  if (innerSegments.length < segments.length) return false;
  if (!rest && (inner.raw.rest || innerSegments.length > segments.length)) return false;
  return segments.every((segment, index) => {
    const other = innerSegments[index];
    // A parameter stands for one segment that is not empty.
    return segment === undefined ? other !== '' : segment === other;
  });
}
