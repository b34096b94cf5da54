import { chownSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, openCluster } from "./cluster.ts";

/** A primary and its standby behind one name, which leads to the primary until it is led elsewhere. */
export type Pair = { readonly primary: Cluster; readonly standby: Cluster; readonly url: string; lead(to: Cluster): void };

/** Makes a pair that a test takes down with it; `synchronous` if the primary acknowledges nothing that the standby has not. */
export async function openPair(t: TestContext, how?: "synchronous"): Promise<Pair> {
  const primary = await openCluster();
  const folder = mkdtempSync(join(tmpdir(), "mesh-pg-"));
  const name = mkdtempSync(join(tmpdir(), "mesh-pg-name-"));
  t.after(() => (rmSync(folder, { recursive: true, force: true }), rmSync(name, { recursive: true, force: true }), primary.close()));
  if (process.getuid?.() === 0) chownSync(folder, 65_534, 65_534);
  await primary.run("pg_basebackup", ["-h", primary.socket, "-U", "mesh", "-D", join(folder, "data"), "-R", "--checkpoint=fast", "--no-sync"]);
  const standby = await openCluster([], { folder, socket: folder });
  t.after(() => standby.close());
  const lead = (to: Cluster): void => {
    symlinkSync(to.socket, join(name, "next"));
    renameSync(join(name, "next"), join(name, "server"));
  };
  lead(primary);
  if (how === "synchronous") {
    await primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'");
    await primary.ask("SELECT pg_reload_conf()");
    while ((await primary.ask("SELECT sync_state FROM pg_stat_replication")) !== "sync") await sleep(20);
  }
  return { primary, standby, url: `postgres:///postgres?host=${encodeURIComponent(join(name, "server"))}&user=mesh`, lead };
}
