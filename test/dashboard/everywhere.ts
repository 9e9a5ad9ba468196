import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { ACTION_NAMES } from '../../lib/dashboard/actions/actions.js';
import { anyServer, describeOn, oneOfEach, ofType } from '../support/databases.js';
import { TestDashboards, type Platform } from '../support/dashboard.js';
import { openBrowser, openPage } from './browser.js';
import { EVERY_ACTION, Stage } from './every-action.js';
import { Mails } from './mails.js';
import { AS_IT_IS, ASSETS, MOUNTS, Proxies, type Mount } from './mounts.js';

/** PostgreSQL, which is always there, and MariaDB. */
const SERVERS = [anyServer(), ...ofType('mysql', oneOfEach)];

/** Each action is clicked in each place where a dashboard may stand, and on each database where that makes a difference. */
export function everyActionOn(platform: Platform): void {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  describeOn(SERVERS, `Every action, on ${platform} and $name`, (server) => {
    const dashboards = TestDashboards.on(server);
    const proxies = Proxies.here();
    const mounts: readonly Mount[] = server.type === 'postgres' ? MOUNTS : [AS_IT_IS];

    it.each(mounts)('does what it says, $name', async (mount) => {
      await dashboards.start({
        platform,
        setup: mount.setup,
        root: { providers: [Mails] },
        options: { assetsFolder: ASSETS },
      });
      const { page, context, complaints } = await openPage(browser);
      const stage = new Stage(
        page,
        await proxies.urlOf(dashboards.origin, mount),
        dashboards,
        mount === AS_IT_IS,
      );
      for (const { name, asks, given, clicks, proof } of EVERY_ACTION) {
        try {
          await given?.(stage);
          const before = await dashboards.queue.audit.read(null, 1);
          await clicks(stage);
          await proof(stage);
          expect(complaints).toEqual([]);
          expect(await auditedAfter(before.actions[0]?.seq ?? 0)).toEqual(asks);
        } catch (error) {
          throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
        }
      }
      await stage.go('view=audit');
      const shown = await page.locator('td code').allInnerTexts();
      expect(shown).toEqual(EVERY_ACTION.flatMap(({ asks }) => asks).reverse());
      await context.close();
    });

    /** The actions since one of them, the oldest first. All of them have ended well. */
    async function auditedAfter(seq: number): Promise<string[]> {
      const { actions } = await dashboards.queue.audit.read(null, 10);
      const later = actions.filter((action) => action.seq > seq).reverse();
      expect(later.filter(({ changed, problem }) => changed === null || problem !== null)).toEqual([]);
      return later.map(({ action }) => action);
    }
  });

  it('are all that the server knows', () => {
    expect(new Set(EVERY_ACTION.flatMap(({ asks }) => asks))).toEqual(new Set(ACTION_NAMES));
  });
}
