import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { listDevices } from "../../src/client/devices.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { unsuspendDevice } from "../../src/client/operations/unsuspend.ts";
import { sync } from "../../src/client/sync.ts";
import { decodeRequest } from "../../src/protocol/wire.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import type { TestDevice } from "../support/world.ts";
import { agreed, deviceOf, join, meshOf, names, refused, save } from "./household.ts";
import { loggedHousehold } from "./log-doubles.ts";

async function stands(device: TestDevice, name: string): Promise<string | undefined> {
  return (await listDevices(device.client)).find((one) => one.name === name)?.status;
}

suite("who lifts a suspension (docs/spec/profiles.md 8.5)", () => {
  test("a device that fell with whoever let it in: the Master key, which stands above the suspender; what it wrote counts again, and it gets the keys", async () => {
    const alice = await loggedHousehold({ tower: "admin", tablet: "member" });
    const phone = await join({ ...alice, desktop: deviceOf(alice, "tower") }, "phone");
    await save(phone, "from the phone");
    await sync(deviceOf(alice, "tablet").client);
    const { pending } = await disableDevice(alice.desktop.client, "tower");
    assert.ok(pending.some((line) => line.includes('mesh device unsuspend "phone"')), pending.join("\n"));
    await refused(phone, () => sync(phone.client), "device-disabled");
    const { done } = await unsuspendDevice(alice.desktop.client, "phone");
    assert.match(done.join("\n"), /given the present keys/);
    await save(phone, "and again");
    for (const device of [alice.desktop, deviceOf(alice, "tablet")]) {
      await sync(device.client);
      assert.deepEqual(await names(device), ["and again", "from the phone"]);
      assert.equal(await stands(device, "phone"), "active");
    }
    await assert.rejects(unsuspendDevice(alice.desktop.client, "phone"), { code: "device-not-suspended" });
    await assert.rejects(unsuspendDevice(alice.desktop.client, "tower"), { code: "device-already-disabled" });
  });

  test("members that fell together: any administration device, each of the two by itself; no member", async () => {
    const alice = await loggedHousehold({ tower: "admin", laptop: "member", phone: "member", tablet: "member" });
    const [tower, laptop, phone, tablet] = [deviceOf(alice, "tower"), deviceOf(alice, "laptop"), deviceOf(alice, "phone"), deviceOf(alice, "tablet")];
    await disableDevice(laptop.client, "phone", agreed);
    await refused(laptop, () => sync(laptop.client), "device-disabled");
    await sync(tablet.client);
    const before = (await meshOf(tablet)).suspensions.length;
    const error = await refused(tablet, () => unsuspendDevice(tablet.client, "laptop"), "suspension-outranked");
    assert.match(error.hint ?? "", /desktop or tower/);
    const { pending } = await unsuspendDevice(tower.client, "laptop");
    assert.ok(pending.some((line) => line.includes('mesh device unsuspend "phone"')));
    assert.equal((await meshOf(tower)).suspensions.length, before + 1, "the member's try signed nothing");
    await save(laptop, "back");
    await refused(phone, () => sync(phone.client), "device-disabled");
    await disableDevice(tower.client, "phone");
    await sync(laptop.client);
    assert.deepEqual([await stands(laptop, "laptop"), await stands(laptop, "phone")], ["active", "disabled"]);
  });

  test("an administration device that suspended a higher one: that one, once it is back, and none below", async () => {
    const alice = await loggedHousehold({ tower: "admin", attic: "admin" });
    const [tower, attic] = [deviceOf(alice, "tower"), deviceOf(alice, "attic")];
    await disableDevice(tower.client, "desktop", agreed);
    await sync(attic.client);
    await refused(attic, () => unsuspendDevice(attic.client, "tower"), "suspension-outranked");
    await refused(attic, () => unsuspendDevice(attic.client, "desktop"), "suspension-outranked");
    alice.portal.clock.now += 73 * 3_600_000;
    await sync(attic.client);
    const { done, pending } = await unsuspendDevice(alice.desktop.client, "tower");
    await sync(tower.client);
    assert.deepEqual([await stands(tower, "desktop"), await stands(tower, "tower"), done.length, pending.length], ["active", "active", 2, 0]);
  });

  test("a device is suspended again by whoever did it before, though nothing else of the mesh changed since that was lifted", async () => {
    const alice = await loggedHousehold({ tower: "admin", attic: "admin" });
    const [tower, attic] = [deviceOf(alice, "tower"), deviceOf(alice, "attic")];
    await sync(tower.client);
    for (const time of [1, 2, 3]) {
      // It dies before anything else is done.
      alice.portal.meddler.request = (request) => {
        if (decodeRequest(request.body).command.name === "CatalogAppend") throw new MeshError("service-unreachable", "cut off");
        return request;
      };
      await disableDevice(tower.client, "attic").catch((error: MeshError) => assert.equal(error.code, "service-unreachable"));
      delete alice.portal.meddler.request;
      await refused(attic, () => sync(attic.client), "device-disabled");
      await unsuspendDevice(alice.desktop.client, "attic");
      assert.equal((await meshOf(alice.desktop)).suspensions.length, 2 * time);
    }
  });
});
