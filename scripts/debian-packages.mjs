// Installs the Debian packages that the tests need and this machine lacks (test/debian-packages).
//
// As root or by `sudo -n`; else it says the one line to type. No service is started: the tests start their own.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const autostartRule = "/usr/sbin/policy-rc.d";

/** The names of the list: one a line, `#` begins a comment. */
export function listed(text) {
  return text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((name) => name !== "");
}

/** Installs what is missing of the list; ends the process with the line to type where it may not. */
export function installDebianPackages(root) {
  const names = listed(readFileSync(join(root, "test", "debian-packages"), "utf8"));
  if (names.length === 0 || !run("dpkg-query", ["--version"])) return;
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;

  const elevate = process.getuid?.() === 0 ? [] : run("sudo", ["-n", "true"]) ? ["sudo", "-n"] : undefined;
  const byHand = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (elevate === undefined) stop(missing, byHand);

  console.error(`Installing Debian packages that the tests need: ${missing.join(" ")} ...`);
  const apt = [...elevate, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"];
  const done = withoutAutostart(elevate, () => loud([...apt, "update"]) && loud([...apt, "install", "-y", "--no-install-recommends", ...missing]));
  if (!done) stop(missing, byHand);
}

function isInstalled(name) {
  const { stdout } = spawnSync("dpkg-query", ["-W", "-f=${db:Status-Status}", name], { encoding: "utf8" });
  return stdout === "installed";
}

/** Debian asks policy-rc.d whether a freshly installed service may start; a rule that is already there stays. */
function withoutAutostart(elevate, work) {
  if (existsSync(autostartRule)) return work();
  if (elevate.length === 0) writeFileSync(autostartRule, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  else loud([...elevate, "sh", "-c", `printf '#!/bin/sh\\nexit 101\\n' > ${autostartRule} && chmod 755 ${autostartRule}`]);
  try {
    return work();
  } finally {
    if (elevate.length === 0) rmSync(autostartRule, { force: true });
    else loud([...elevate, "rm", "-f", autostartRule]);
  }
}

const run = (command, args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;
const loud = ([command, ...args]) => spawnSync(command, args, { stdio: ["ignore", 2, 2] }).status === 0;

function stop(missing, byHand) {
  console.error(`The tests need Debian packages that are not installed: ${missing.join(" ")}. Type:\n  ${byHand}`);
  process.exit(1);
}
