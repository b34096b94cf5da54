// The did:plc server on a database, as its own `bin` starts it; tells its parent when it listens. Its log goes nowhere.
import server from "@did-plc/server";

const { Database, PlcServer } = server;
const database = Database.postgres({ url: process.argv[2] });
await database.migrateToLatestOrThrow();
const served = await PlcServer.create({ db: database, port: Number(process.argv[3]) }).start();
process.send?.(served.address().port);
