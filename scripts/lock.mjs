// One at a time, between processes: a file made by whoever works, with its process id in it.
import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";

/** Waits until the file is ours, works, and removes it; a holder that has died loses it. */
export async function underLock(file, work) {
  while (!take(file)) await new Promise((resolve) => setTimeout(resolve, 50));
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file) {
  try {
    const handle = openSync(file, "wx");
    writeSync(handle, String(process.pid));
    closeSync(handle);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    if (!holderLives(file)) rmSync(file, { force: true });
    return false;
  }
}

function holderLives(file) {
  try {
    const holder = Number(readFileSync(file, "utf8"));
    // Empty: its owner has made the file and not written yet.
    return holder === 0 || process.kill(holder, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}
