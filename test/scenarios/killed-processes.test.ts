import assert from "node:assert/strict";
import { test } from "node:test";
import { cases } from "../support/long.ts";
import { expectStatus, openPlace } from "../support/processes.ts";
import { openRelay } from "../support/relay.ts";

const ROUNDS = cases(20, 1000);
/** A command lives about so long, in milliseconds, from start to end. */
const LIFE = 250;

type Login = { readonly name: string };

test(`kill -9 of portal or client, ${ROUNDS} times, most between request and answer: nothing acknowledged is lost, nothing is done twice`, { timeout: 240_000 + 2000 * ROUNDS }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  const relay = await openRelay(portal.port);
  t.after(relay.close);
  const url = `https://127.0.0.1:${relay.port}#${portal.pin}`;
  expectStatus(await place.mesh("desktop", ["create", "alice@example.com", "--portal", url, "--device-name", "desktop", "--no-passphrase"]), 0);
  const pin = place.file("code", `${(await place.json<{ pin: string }>("desktop", ["device", "pin"])).pin}\n`);
  expectStatus(await place.mesh("laptop", ["join", "alice@example.com", "--portal", url, "--no-passphrase", "--pin-file", pin]), 5);
  expectStatus(await place.mesh("desktop", ["sync"]), 0);
  expectStatus(await place.mesh("laptop", ["join", "alice@example.com", "--pin-file", pin]), 0);

  const saved: string[] = [];
  const killed = { portal: 0, client: 0 };
  let between = 0;
  for (let round = 0; killed.portal + killed.client < ROUNDS && round < 3 * ROUNDS; round++) {
    const name = `login-${String(round).padStart(4, "0")}`;
    const victim = round % 2 === 0 ? "portal" : "client";
    const strike = (): void => {
      if (victim === "portal" ? portal.running() : !over) killed[victim] += 1;
      void (victim === "portal" ? portal.stop("SIGKILL") : running.kill("SIGKILL"));
    };
    const before = relay.hits();
    let over = false;
    let timer: NodeJS.Timeout | undefined;
    // Three in four hit a request, before or after the portal took it: the first asks for the state, the second appends. The fourth hits at any time.
    if (round % 8 < 6) relay.arm(1 + (Math.floor(round / 8) % 2), { deliver: round % 4 < 2, strike });
    else {
      relay.arm(Number.POSITIVE_INFINITY, { deliver: true, strike });
      timer = setTimeout(strike, Math.random() * LIFE);
    }
    const running = place.start("desktop", ["password", "add", name, "--generate"]);
    const ran = await running.ended;
    over = true;
    clearTimeout(timer);
    between += relay.hits() - before;
    if (ran.status === 0) saved.push(name);
    else assert.ok(victim === "client" && ran.signal === "SIGKILL", `${ran.status} ${ran.stderr}`);
    if (!portal.running()) await portal.start();
  }
  t.diagnostic(`${killed.portal} portals and ${killed.client} clients killed, ${between} of them between request and answer; ${saved.length} edits acknowledged`);
  assert.equal(killed.portal + killed.client, ROUNDS);
  assert.ok(between >= ROUNDS / 2, `${between} of ${ROUNDS} between request and answer`);

  for (const who of ["desktop", "laptop", "desktop"]) expectStatus(await place.mesh(who, ["sync"]), 0);
  const [here, there] = [await place.json<Login[]>("desktop", ["password", "list"]), await place.json<Login[]>("laptop", ["password", "list"])];
  assert.deepEqual(there, here);
  const names = here.map((one) => one.name);
  assert.deepEqual(saved.filter((name) => !names.includes(name)), [], "acknowledged and lost");
  assert.equal(new Set(names).size, names.length, "kept twice");
  expectStatus(await place.mesh("desktop", ["doctor"]), 0);
});

test("`create`, `join` and `device accept` killed with -9 at any time are run again and end well", { timeout: 240_000 }, async (t) => {
  const place = openPlace();
  t.after(place.close);
  const portal = await place.portal();
  const on = ["--portal", portal.url, "--no-passphrase"];
  let killed = 0;
  /** Starts a command, kills it after a while, and runs it again until it ends by itself. */
  const insist = async (who: string, args: readonly string[], ends: readonly number[], delays: readonly number[]): Promise<void> => {
    for (const delay of delays) {
      const running = place.start(who, args);
      const timer = setTimeout(() => running.kill(), delay);
      const ran = await running.ended;
      clearTimeout(timer);
      if (ran.signal === "SIGKILL") killed += 1;
      else assert.ok(ends.includes(ran.status ?? -1), `${args.join(" ")} exit ${ran.status} ${ran.stderr}`);
    }
  };
  for (let round = 0; round < 3; round++) {
    const [address, desktop, laptop] = [`alice${round}@example.com`, `desktop${round}`, `laptop${round}`];
    const delays = [60, 110, 170, 240, 330].map((ms) => ms + 17 * round);
    // A home that has its mesh already refuses to make another: the one killed had ended its work.
    await insist(desktop, ["create", address, "--device-name", "desktop", ...on], [0, 6], [...delays, 5000]);
    await insist(laptop, ["join", address, "--device-name", "laptop", ...on], [5], [...delays, 5000]);
    const [request, ...others] = await place.json<{ words: string }[]>(desktop, ["device", "pending"]);
    assert.deepEqual(others, []);
    await insist(desktop, ["device", "accept", request?.words ?? ""], [0], delays);
    const { answer, name } = await place.json<{ answer: string; name: string }>(desktop, ["device", "accept", request?.words ?? ""]);
    assert.equal(name, "laptop");
    await insist(laptop, ["join", address, "--answer", answer], [0], [...delays, 5000]);
    const devices = await place.json<{ name: string; status: string }[]>(laptop, ["device", "list"]);
    assert.deepEqual(devices.map((one) => `${one.name} ${one.status}`).sort(), ["desktop active", "laptop active"]);
  }
  t.diagnostic(`${killed} killed`);
  assert.ok(killed >= 20, String(killed));
});
