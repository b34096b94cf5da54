import { editPassword } from "../src/applications/passwords/edit.ts";
import { findPassword } from "../src/applications/passwords/find.ts";
import { editNamed } from "../src/client/catalog.ts";
import { sync } from "../src/client/sync.ts";
import { expectStatus, openPlace, type Place } from "../test/support/processes.ts";
import { atMost, type Bench, interleave, type Measurement, median, reported } from "./bench.ts";
import { counted } from "./counted.ts";

const [FEW, MANY, HUGE] = [100, 10_000, 100_000];
const ROUNDS = 9;
const KB = 1000;

/** What a vault of a real size costs its owner: one edit in it, and a device that joins it. */
export const bench: Bench = {
  name: "scale",
  about: `one edit among ${MANY} passwords against one among ${FEW}, medians of ${ROUNDS} interleaved; octets that it moves; and a device that joins from the state written down for it: real processes`,
  run: async () => {
    const place = openPlace();
    try {
      const portal = await place.portal();
      const on = ["--portal", portal.url, "--no-passphrase"];
      for (const count of [FEW, MANY, HUGE]) {
        expectStatus(await place.mesh(`of${count}`, ["create", `alice${count}@example.com`, ...on]), 0);
        const file = place.file(`${count}.csv`, tableOf(count));
        expectStatus(await place.mesh(`of${count}`, ["password", "import", file]), 0);
      }
      return [...(await edits(place)), ...(await octets(place)), await joined(place, on, MANY, 2), await joined(place, on, HUGE, 5)];
    } finally {
      await place.close();
    }
  },
};

async function edits(place: Place): Promise<readonly Measurement[]> {
  let round = 0;
  const edit = (count: number) => async () => void expectStatus(await place.mesh(`of${count}`, ["password", "edit", "site 7", "--username", `user${round++}`]), 0);
  const times = await interleave(ROUNDS, { few: edit(FEW), many: edit(MANY), huge: edit(HUGE) });
  const [few, many, huge] = [median(times.few), median(times.many), median(times.huge)];
  return [
    atMost(1.2, { name: `one edit among ${MANY}, time`, value: many / few, unit: "x", against: `the same among ${FEW}: ${few.toFixed(0)} ms` }),
    reported({ name: `one edit among ${HUGE}, time`, value: huge / few, unit: "x", against: `the same among ${FEW}: ${few.toFixed(0)} ms` }),
  ];
}

/** Another device, so that there is somebody to get it. */
async function octets(place: Place): Promise<readonly Measurement[]> {
  const desktop = `of${MANY}`;
  const code = place.file("code", `${(await place.json<{ pin: string }>(desktop, ["device", "pin"])).pin}\n`);
  const url = (await place.json<{ portal: { url: string } }>(desktop, ["status"])).portal.url;
  const pin = (await place.json<{ portal: { fingerprint: string } }>(desktop, ["status"])).portal.fingerprint;
  const join = ["join", `alice${MANY}@example.com`, "--pin-file", code, "--portal", `${url}#${pin}`, "--no-passphrase"];
  expectStatus(await place.mesh("laptop", join), 5);
  expectStatus(await place.mesh(desktop, ["sync"]), 0);
  expectStatus(await place.mesh("laptop", join), 0);
  for (const who of ["laptop", desktop, "laptop", desktop]) expectStatus(await place.mesh(who, ["sync"]), 0);
  const measured: Measurement[] = [];
  for (const [how, forget, bar] of [["with a stored session", false, 12], ["in a fresh process", true, 20]] as const) {
    const up = await counted(place, desktop, forget, async (client) => {
      await editNamed(client, "passwords", ["site 8"], (entries) => [editPassword(entries, findPassword(entries, "site 8"), { username: how }) ?? []].flat());
      await sync(client);
    });
    const down = await counted(place, "laptop", forget, async (client) => void (await sync(client)));
    const one = (name: string, value: number) => atMost(bar, { name: `one edit among ${MANY}, ${name}, ${how}`, value: value / KB, unit: "KB", against: "HTTP octets, heads and bodies" });
    measured.push(one("up", Math.max(up.up, up.down)), one("down to the other device", Math.max(down.up, down.down)));
  }
  return measured;
}

async function joined(place: Place, on: readonly string[], count: number, bar: number): Promise<Measurement> {
  const [desktop, laptop] = [`of${count}`, `laptop-of${count}`];
  const { fingerprint } = await place.json<{ fingerprint: string }>(desktop, ["status"]);
  const join = ["join", `alice${count}@example.com#${fingerprint}`, "--device-name", "laptop of many", ...on];
  expectStatus(await place.mesh(laptop, join), 5);
  const words = (await place.json<{ name: string; words: string }[]>(desktop, ["device", "pending"])).find((one) => one.name === "laptop of many")?.words ?? "";
  expectStatus(await place.mesh(desktop, ["device", "accept", words]), 0);
  const empty = await seconds(() => place.mesh(laptop, ["--version"]));
  const ready = await seconds(async () => {
    expectStatus(await place.mesh(laptop, join), 0);
    expectStatus(await place.mesh(laptop, ["password", "get", "site 7"]), 0);
  });
  return atMost(bar, { name: `accepted device among ${count}: join, first password read`, value: ready, unit: "s", against: `mesh --version: ${empty.toFixed(3)} s` });
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function tableOf(count: number): string {
  const line = (n: number): string => `site ${n},https://www.example${n}.com/login,alice${n % 7}@example.com,correct-horse-${n}-battery,some notes that people keep about ${n}`;
  return ["name,url,username,password,note", ...Array.from({ length: count }, (_, n) => line(n)), ""].join("\n");
}
