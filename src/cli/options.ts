/** The values that several commands take, checked where they are read. */
import { InvalidArgumentError } from 'commander';
import { DIRTY_POLICIES } from '../admin/control-documents.ts';
import { parseRampForm } from '../admin/ramp-form.ts';

export function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/u.test(text) || port > 65_535) {
    throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  }
  return port;
}

/** `x-plan: staff`, as often as it is given. */
export function collectHeader(
  text: string,
  before: readonly (readonly [string, string])[] = [],
): (readonly [string, string])[] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/u.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("A header is written 'NAME: VALUE'.");
  }
  return [...before, [name, value.trim()]];
}

/** A path as in a request line. */
export function parsePath(text: string): string {
  if (!text.startsWith('/')) throw new InvalidArgumentError('A path begins with "/".');
  return text;
}

/** @returns a parser for whole numbers in these bounds */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,16}$/u.test(text) || value < low || value > high) {
      throw new InvalidArgumentError(`It is a whole number from ${low} to ${high}.`);
    }
    return value;
  };
}

/** @returns a parser for one of these words */
export function oneOf<const T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((known) => known === text);
    if (word === undefined) throw new InvalidArgumentError(`It is one of ${words.join(', ')}.`);
    return word;
  };
}

export const parsePolicy = oneOf(DIRTY_POLICIES);

export function parseRamp(text: string): number | string {
  const ramp = parseRampForm(text);
  if (ramp === undefined) {
    throw new InvalidArgumentError('It is a share such as 10% or 0.5%, or a number of users such as 1000.');
  }
  return ramp;
}
