import { expectStatus, openPlace } from "../test/support/processes.ts";
import { atMost, type Bench, median } from "./bench.ts";

const ROUNDS = 5;
const BAR_SECONDS = 3;

type Request = { readonly name: string; readonly words: string };

/** How long a person waits for the machine when a device joins, and when one is cut off. */
export const bench: Bench = {
  name: "join",
  about: `from the start of device accept to the end of the first password get on the new device, the three words typed in no time; and device disable; medians of ${ROUNDS}, real processes`,
  run: async () => {
    const place = openPlace();
    try {
      const portal = await place.portal();
      const on = ["--portal", portal.url, "--no-passphrase"];
      expectStatus(await place.mesh("desktop", ["create", "alice@example.com", ...on]), 0);
      expectStatus(await place.mesh("desktop", ["password", "add", "github", "--generate"]), 0);
      const [joins, disables, empties]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round < ROUNDS; round++) {
        const laptop = `laptop${round}`;
        expectStatus(await place.mesh(laptop, ["join", "alice@example.com", "--device-name", laptop, ...on]), 5);
        const words = (await place.json<Request[]>("desktop", ["device", "pending"])).find((one) => one.name === laptop)?.words ?? "";
        joins.push(
          await seconds(async () => {
            const { answer } = await place.json<{ answer: string }>("desktop", ["device", "accept", words]);
            expectStatus(await place.mesh(laptop, ["join", "alice@example.com", "--answer", answer]), 0);
            expectStatus(await place.mesh(laptop, ["password", "get", "github"]), 0);
          }),
        );
        empties.push(await seconds(async () => expectStatus(await place.mesh(laptop, ["--version"]), 0)));
        disables.push(await seconds(async () => expectStatus(await place.mesh("desktop", ["device", "disable", laptop]), 0)));
      }
      const against = `mesh --version: ${median(empties).toFixed(3)} s`;
      return [
        atMost(BAR_SECONDS, { name: "device accept to first password get", value: median(joins), unit: "s", against }),
        atMost(BAR_SECONDS, { name: "device disable, with its receipt", value: median(disables), unit: "s", against }),
      ];
    } finally {
      await place.close();
    }
  },
};

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
