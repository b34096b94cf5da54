import { statfsSync, watch } from "node:fs";
import { dirname, join } from "node:path";

import type { Bundle } from "./bundle.ts";

/** File systems on which this kernel sees every change, by their numbers in statfs(2): ext4, XFS, Btrfs, tmpfs, F2FS, ZFS, bcachefs, overlayfs. What is elsewhere may be changed by another machine. */
const LOCAL = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x794c7630]);

/**
 * Whether a bundle is fresh, for a process that is asked so often: the files are looked at once, and again only when the kernel has told of a
 * change in one of their folders. Where the kernel does not tell, they are looked at each time.
 *
 * What was changed before somebody connects to this process is known when his request is read: the kernel queues it first, and a request is
 * read a turn of the loop after its connection. Only what is written through mapped memory is not told.
 */
export function watchedFreshness({ isFresh, sources }: Pick<Bundle, "isFresh" | "sources">): { isFresh(): boolean; close(): void } {
  let state: "unknown" | "fresh" | "stale" = "unknown";
  let watchers: readonly { close(): void }[] | undefined;
  const forget = (): void => void (state = "unknown");
  const close = (): void => {
    for (const one of watchers ?? []) one.close();
    watchers = [];
  };
  const giveUp = (): void => {
    close();
    forget();
  };
  return {
    isFresh: () => {
      watchers ??= watchAll(sources(), forget, giveUp);
      if (watchers.length === 0) return isFresh();
      if (state === "unknown") state = isFresh() ? "fresh" : "stale";
      return state === "fresh";
    },
    close,
  };
}

/** A watch over every folder that holds a source, or leads to one; none where the kernel does not see every change. */
function watchAll(sources: ReturnType<Bundle["sources"]>, changed: () => void, failed: () => void): readonly { close(): void }[] {
  if (sources === undefined || process.platform !== "linux" || !isLocal(sources.root)) return [];
  const folders = new Set<string>();
  for (const path of sources.paths) for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  const watchers: ReturnType<typeof watch>[] = [];
  try {
    for (const folder of folders) watchers.push(watch(join(sources.root, folder), { persistent: false }, changed).on("error", failed));
    return watchers;
  } catch {
    for (const one of watchers) one.close();
    return [];
  }
}

function isLocal(folder: string): boolean {
  try {
    return LOCAL.has(statfsSync(folder).type);
  } catch {
    return false;
  }
}
