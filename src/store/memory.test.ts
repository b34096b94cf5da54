import { MeshError } from "../refusals/mesh-error.ts";
import { storeConformance } from "./conformance.ts";
import { groupedStore } from "./grouped.ts";
import { MemoryConnection, openMemoryStore } from "./memory.ts";

storeConformance("memory", async () => ({ store: openMemoryStore() }));

storeConformance("memory whose commits can fail", async () => {
  const connection = new MemoryConnection();
  const commit = connection.commit.bind(connection);
  let fail = false;
  connection.commit = () => {
    if (!fail) return commit();
    fail = false;
    throw new MeshError("store-full", "No room.");
  };
  return { store: groupedStore(connection), failNextCommit: () => (fail = true) };
});
