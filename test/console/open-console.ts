/** The console as it is built, on an admin listener over fakes, in a real browser. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { Test } from 'tap';
import { buildConsole } from '../../src/console/build-console.ts';

/** The checkout, whether this runs as TypeScript or compiled. */
export function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(dirname(folder));
}

/** @returns the folder of the bundle */
export async function bundleFor(t: Test): Promise<string> {
  const folder = t.testdir();
  await buildConsole(join(rootAbove(import.meta.dirname), 'src/console'), folder);
  return folder;
}

export interface OpenPage {
  readonly page: Page;
  /** What the policy refused, and what was thrown and caught by nobody. */
  readonly complaints: string[];
}

/** A page without cookies or anything else of another one; closed with the test. */
export async function openPage(t: Test, browser: Browser, url: string, width = 1280): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width, height: 800 } });
  t.teardown(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => void complaints.push(message));
  page.on('console', (message) => {
    if (/Content Security Policy/iu.test(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}
