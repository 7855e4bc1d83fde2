/** Opens a shop's store and serves it. */
import type { Backend } from '../model.ts';
import { legacyErrorBody, legacyRoutes } from './legacy/legacy-shop.ts';
import { LegacyStore } from './legacy/legacy-store.ts';
import type { Faults } from './new/faults.ts';
import { newErrorBody, newRoutes } from './new/new-shop.ts';
import { NewStore } from './new/new-store.ts';
import type { RequestCounts } from './shop/request-counts.ts';
import type { ShopError } from './shop/shop-error.ts';
import type { ShopRoute } from './shop/shop-router.ts';
import { startShopServer } from './shop/shop-server.ts';
import { WriteCopier } from './shop/write-copier.ts';

export interface ShopOptions {
  readonly shop: Backend;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The SQLite file; created and filled when it does not exist. */
  readonly file: string;
  /** The legacy shop has none. */
  readonly faults: Faults;
  readonly now: () => Date;
  readonly random: () => number;
  readonly onDefect: (error: unknown) => void;
}

interface Shop {
  readonly routes: ShopRoute[];
  readonly errorBody: (error: ShopError, requestId: string) => unknown;
  readonly closeStore: () => void;
}

export interface RunningShop {
  readonly port: number;
  /** From now on its writes are copied to the shop there, see `WriteCopier`. */
  copyTo(host: string, port: number): void;
  /** Finishes what is in flight, for 2 seconds at the most. */
  close(): Promise<void>;
}

/** @throws Error when the store cannot be opened, or the listening socket's own error. */
export async function startShop(options: ShopOptions): Promise<RunningShop> {
  const counts: RequestCounts = { requests: 0, shadowReads: 0, copies: 0 };
  const copier = new WriteCopier(options.onDefect);
  const { routes, errorBody, closeStore } =
    options.shop === 'legacy' ? openLegacy(options, counts) : openNew(options, counts);
  try {
    const server = await startShopServer({ ...options, routes, errorBody, counts, copier });
    return {
      port: server.port,
      copyTo: (host, port) => copier.copyTo(host, port),
      close: async () => {
        await server.close();
        copier.close();
        closeStore();
      },
    };
  } catch (error) {
    closeStore();
    throw error;
  }
}

function openLegacy({ file, now, random }: ShopOptions, counts: RequestCounts): Shop {
  const store = new LegacyStore(file);
  return {
    routes: legacyRoutes({ store, now, random, counts }),
    errorBody: legacyErrorBody,
    closeStore: () => store.close(),
  };
}

function openNew({ file, faults, now, random }: ShopOptions, counts: RequestCounts): Shop {
  const store = new NewStore(file);
  return {
    routes: newRoutes({ store, faults, now, random, counts }),
    errorBody: newErrorBody,
    closeStore: () => store.close(),
  };
}
