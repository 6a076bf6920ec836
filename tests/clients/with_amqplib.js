// What amqplib is told by a broker: the same lines on a served one and on a live one. RABBITMQ_URL names it.

const amqplib = require("amqplib");

const url = process.env.RABBITMQ_URL;
const say = (...words) => console.log(words.map((word) => (typeof word === "string" ? word : JSON.stringify(word))).join(" "));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// The error by which a channel or a connection ends; a channel's operation that fails tells it too.
async function ending(emitter, act) {
  const ended = new Promise((done) => emitter.once("error", done));
  await Promise.resolve(act()).catch(() => {});
  const error = await ended;
  return [error.code, error.message.replace(/^.*?; server reply: /, "").replace(/^.* with message /, "")].join(" ");
}

async function main() {
  const connection = await amqplib.connect(url);

  say("== publish, confirm, return");
  const channel = await connection.createConfirmChannel();
  const limited = { durable: true, arguments: { "x-max-length": 2, "x-overflow": "reject-publish" } };
  say(await channel.assertQueue("work", limited));
  const returned = new Promise((done) => channel.once("return", done));
  const confirmed = (queue, body, options) =>
    new Promise((done) => channel.sendToQueue(queue, Buffer.from(body), options, (error) => done(error ? error.message : "confirmed")));
  const headers = { n: 1, text: "ä", nested: { list: [1, true, null] }, big: 2 ** 40, half: 0.5 };
  say(await confirmed("work", "{}", { persistent: true, contentType: "application/json", headers, mandatory: true }));
  say("to nowhere:", await confirmed("missing", "lost", { mandatory: true }));
  const back = await returned;
  say("returned", back.fields.replyCode, back.fields.replyText, back.content.toString());
  say(await confirmed("work", "second"), await confirmed("work", "third"));

  say("== consume, settle, redeliver");
  await channel.prefetch(1);
  await new Promise((done) =>
    channel.consume(
      "work",
      (message) => {
        const { deliveryTag, redelivered } = message.fields;
        const told = message.properties.headers ?? {};
        const sorted = Object.fromEntries(Object.keys(told).sort().map((key) => [key, told[key]]));
        say(deliveryTag, redelivered, message.content.toString(), message.properties.contentType ?? "-", sorted);
        if (deliveryTag === 1) channel.nack(message, false, true);
        else channel.ack(message);
        if (deliveryTag === 3) done();
      },
      { consumerTag: "mine" },
    ),
  );
  say(await channel.cancel("mine"), await channel.get("work"), await channel.checkQueue("work"));

  say("== exchanges, bindings, dead letters");
  await channel.assertExchange("topic", "topic");
  await channel.assertQueue("dead");
  await channel.assertQueue("short", { messageTtl: 50, deadLetterExchange: "", deadLetterRoutingKey: "dead" });
  await channel.bindQueue("short", "topic", "a.*");
  channel.publish("topic", "a.b", Buffer.from("late"));
  await channel.waitForConfirms();
  const died = await new Promise((done) => channel.consume("dead", done, { noAck: true }));
  const [death] = died.properties.headers["x-death"];
  say(death.reason, death.count, death.queue, death["routing-keys"], died.content.toString());

  say("== a body of many frames");
  await channel.assertQueue("large", { maxPriority: 3 });
  await new Promise((done) => channel.sendToQueue("large", Buffer.alloc(1_000_000, 7), { priority: 3 }, done));
  const large = await channel.get("large", { noAck: true });
  say(large.content.length, large.content.every((byte) => byte === 7), large.properties.priority);
  say(await channel.purgeQueue("large"), await channel.deleteQueue("large"));

  say("== a channel that is closed");
  const other = await connection.createChannel();
  say(await ending(other, () => other.assertQueue("work", { durable: true })));
  const third = await connection.createChannel();
  say(await ending(third, () => third.checkQueue("none")));
  const fourth = await connection.createChannel();
  say(await ending(fourth, () => fourth.ack({ fields: { deliveryTag: 7 } })));
  const fifth = await connection.createChannel();
  await fifth.consume("short", () => {}, { exclusive: true });
  const sixth = await connection.createChannel();
  say(await ending(sixth, () => sixth.consume("short", () => {})));

  say("== a consumer that the broker cancels");
  const cancelled = new Promise((done) => fifth.consume("dead", done, { consumerTag: "c" }));
  await pause(50);
  await channel.deleteQueue("dead");
  say("cancelled", await cancelled);

  say("== an exclusive queue of another connection");
  const owner = await amqplib.connect(url);
  const owning = await owner.createChannel();
  await owning.assertQueue("mine", { exclusive: true, durable: false });
  const seventh = await connection.createChannel();
  say(await ending(seventh, () => seventh.checkQueue("mine")));
  await owner.close();

  for (const queue of ["work", "short"]) await channel.deleteQueue(queue);
  await channel.deleteExchange("topic");
  await connection.close();
  say("closed");

  say("== who may not in");
  for (const [what, wrong] of [
    ["password", url.replace("guest:guest", "guest:wrong")],
    ["vhost", url.replace(/\/[^/]*$/, "/missing")],
  ]) {
    say(what, await amqplib.connect(wrong).then(() => "is in", (error) => error.message.replace(/^.*?: \d+ /, "")));
  }
}

main().catch((error) => {
  say("FAILED", String(error.stack));
  process.exit(1);
});
