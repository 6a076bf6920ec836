// A RabbitMQ for each test, simulated by `rmqplay serve`: there in milliseconds, and a week passes at a word.
//
//     const { serve } = require("./rmqplay");
//     let broker;
//     beforeEach(async () => { broker = await serve(); });
//     afterEach(() => broker.close());
//     test("late orders", async () => {
//       const connection = await amqplib.connect(broker.url);
//       ...
//       await broker.advance("7d");
//     });
//
// RMQPLAY names the program, RMQPLAY_BROKER the version (sim:3.13). `serve("topologies/orders.yaml")` begins with topologies.

const { spawn } = require("node:child_process");
const { mkdtemp, readFile, rm } = require("node:fs/promises");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** A served broker; `url` is for any AMQP client. */
class Broker {
  constructor(process, folder, told) {
    this.process = process;
    this.folder = folder;
    this.control = told.control;
    this.url = told.amqp[0].replace("amqp://", "amqp://guest:guest@") + "/%2F";
  }

  /** Lets time pass; returns when all that happens until then is done, and fails when a client keeps a delivery. */
  async advance(by) {
    let job = await this.ask("/clock/advance", { method: "POST", body: JSON.stringify({ by }) });
    while (job.state === "running") {
      await pause(5);
      job = await this.ask(`/clock/jobs/${job.job}`);
    }
    if (job.state !== "done") throw new Error(`the clock is stuck: ${JSON.stringify(job.owed)}`);
    return job;
  }

  async close() {
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGINT");
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  async ask(path, options) {
    const answer = await fetch(this.control + path, options);
    const body = await answer.json();
    if (!answer.ok) throw new Error(`${answer.status}: ${body.error}`);
    return body;
  }
}

/** Starts a broker that holds the topologies, and nothing else. */
async function serve(...topologies) {
  const folder = await mkdtemp(join(tmpdir(), "rmqplay-"));
  const ready = join(folder, "ready.json");
  const version = process.env.RMQPLAY_BROKER ?? "sim";
  const words = ["serve", ...topologies, "--broker", version, "--listen", "127.0.0.1:0", "--clock", "manual"];
  const program = process.env.RMQPLAY ?? "rmqplay";
  const child = spawn(program, [...words, "--settle", "5ms", "--ready-file", ready, "--quiet"], { stdio: "ignore" });
  let failed;
  child.once("error", (error) => (failed = error));
  for (const end = Date.now() + 10_000; ; ) {
    const told = await readFile(ready, "utf8").catch(() => null);
    if (told) return new Broker(child, folder, JSON.parse(told));
    if (failed || child.exitCode !== null || Date.now() > end) throw failed ?? new Error("rmqplay serve does not come up");
    await pause(2);
  }
}

module.exports = { serve };
