// A week of waiting, tested in a moment.

import amqplib from "amqplib";
import { expect } from "vitest";
import { test } from "./rmqplay.mjs";

test("an order that nobody takes is late after a week", async ({ broker }) => {
  const connection = await amqplib.connect(broker.url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue("orders.late");
  const wait = { messageTtl: 604_800_000, deadLetterExchange: "", deadLetterRoutingKey: "orders.late" };
  await channel.assertQueue("orders", wait);
  channel.sendToQueue("orders", Buffer.from("one"), { persistent: true });
  await channel.waitForConfirms();

  await broker.advance("6d 23h");
  expect((await channel.checkQueue("orders")).messageCount).toBe(1);
  await broker.advance("1h");
  const late = await channel.get("orders.late", { noAck: true });
  expect(late.content.toString()).toBe("one");
  expect(late.properties.headers["x-death"][0].reason).toBe("expired");
  await connection.close();
});

test("time waits for a worker that tries again each hour", async ({ broker }) => {
  const connection = await amqplib.connect(broker.url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue("work");
  await channel.assertQueue("work.retry", { messageTtl: 3_600_000, deadLetterExchange: "", deadLetterRoutingKey: "work" });
  let tries = 0;
  await channel.consume("work", (message) => {
    tries += 1;
    channel.sendToQueue("work.retry", message.content);
    channel.ack(message);
  });
  channel.sendToQueue("work", Buffer.from("job"));
  // The broker knows of it before time passes.
  await channel.waitForConfirms();
  await broker.advance("1d");
  expect([24, 25]).toContain(tries);
  await connection.close();
});
