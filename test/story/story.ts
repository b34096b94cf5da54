import { openStage, type Scene, wordsIn } from "./stage.ts";

/**
 * The draft's use case (§3.1) as far as it goes here: Alice's desktop, laptop and tablet, a stranger, and a thief.
 *
 * Each line is typed on a real device, a process with a home of its own, against a real portal on this machine.
 */
export async function playStory(tell: (scene: Scene) => void): Promise<readonly Scene[]> {
  const stage = await openStage(tell);
  const { title, types } = stage;
  try {
    title("Alice makes her mesh on the desktop");
    await types("desktop", "mesh create alice@example.com");
    await types("desktop", "mesh password add github --username alice --generate");

    title("The laptop joins by words: six there, three back");
    const asked = await types("laptop", "mesh join alice@example.com", 5);
    const accepted = await types("desktop", `mesh device accept "${wordsIn(asked, 6)}"`);
    await types("laptop", `mesh join alice@example.com --answer "${wordsIn(accepted, 3)}"`);
    await types("laptop", "mesh password get github");

    title("The tablet joins by a PIN");
    await types("desktop", "mesh device pin > pin.txt");
    await types("tablet", "mesh join alice@example.com --pin-file pin.txt", 5);
    await types("desktop", "mesh sync");
    await types("tablet", "mesh join alice@example.com --pin-file pin.txt");

    title("A password saved on one is on the others");
    await types("tablet", "mesh password add mail --username alice --generate");
    await types("desktop", "mesh sync");
    await types("desktop", "mesh password list");

    title("A stranger who says he is her laptop is turned away");
    const stranger = await types("stranger", "mesh join alice@example.com", 5);
    await types("desktop", `mesh device reject "${wordsIn(stranger, 6)}"`);
    await types("stranger", "mesh join alice@example.com", 4);

    title("The laptop is stolen");
    await types("desktop", "mesh device disable laptop");
    await types("tablet", "mesh sync");
    await types("tablet", "mesh password add bank --generate");

    title("The thief keeps what was there, and gets nothing new");
    await types("laptop", "mesh sync", 4);
    await types("laptop", "mesh password list");

    title("The portal is down: she works on, and it follows later");
    await stage.portal.stop();
    await types("tablet", "mesh sync", 7);
    await types("tablet", "mesh password edit github --generate");
    await types("tablet", "mesh password get github");
    await stage.portal.start();
    await types("tablet", "mesh sync");
    await types("desktop", "mesh sync");
    await types("desktop", "mesh password get github");
    await types("desktop", "mesh device list");
    return stage.scenes;
  } finally {
    await stage.close();
  }
}
