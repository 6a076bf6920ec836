// A NestJS microservice over RabbitMQ and its client: request and reply, events, acknowledgement by hand, an exception.
// RABBITMQ_URL names the broker; the lines are the same on a served one and on a live one.

require("reflect-metadata");
const { Controller, Module } = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { ClientProxyFactory, Ctx, EventPattern, MessagePattern, Payload, RpcException, Transport } = require("@nestjs/microservices");
const { firstValueFrom, lastValueFrom, toArray, of } = require("rxjs");
const amqplib = require("amqplib");

const url = process.env.RABBITMQ_URL;
const say = (...words) => console.log(words.map((word) => (typeof word === "string" ? word : JSON.stringify(word))).join(" "));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

class Orders {
  tries = 0;
  sum(numbers) {
    return numbers.reduce((a, b) => a + b, 0);
  }
  stream(count) {
    return of(...Array.from({ length: count }, (_, n) => n));
  }
  fails() {
    throw new RpcException("no such order");
  }
  placed(order, context) {
    this.tries += 1;
    const message = context.getMessage();
    say("event", order, "redelivered", message.fields.redelivered, "pattern", context.getPattern());
    if (this.tries === 1) context.getChannelRef().nack(message, false, true);
    else context.getChannelRef().ack(message);
  }
}

// What decorators do, without a compiler.
function decorate(name, pattern, parameters) {
  pattern(Orders.prototype, name, Object.getOwnPropertyDescriptor(Orders.prototype, name));
  parameters.forEach((parameter, at) => parameter()(Orders.prototype, name, at));
}
decorate("sum", MessagePattern("sum"), [Payload]);
decorate("stream", MessagePattern({ cmd: "stream" }), [Payload]);
decorate("fails", MessagePattern("fails"), []);
decorate("placed", EventPattern("order.placed"), [Payload, Ctx]);
Controller()(Orders);
class App {}
Module({ controllers: [Orders] })(App);

function options(queue, more) {
  const queueOptions = { durable: true, arguments: { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead" } };
  return { transport: Transport.RMQ, options: { urls: [url], queue, queueOptions, ...more } };
}

async function service(queue, more) {
  const app = await NestFactory.createMicroservice(App, { ...options(queue, more), logger: false });
  await app.listen();
  return app;
}

async function main() {
  const plain = await amqplib.connect(url);
  const channel = await plain.createChannel();
  await channel.assertQueue("dead");

  say("== request and reply");
  const replying = await service("requests", { noAck: true });
  const client = ClientProxyFactory.create(options("requests"));
  await client.connect();
  say(await firstValueFrom(client.send("sum", [1, 2, 39])));
  say(await lastValueFrom(client.send({ cmd: "stream" }, 3).pipe(toArray())));
  for (const pattern of ["fails", "unknown"]) {
    say(pattern, await firstValueFrom(client.send(pattern, {})).catch((error) => error.message ?? error));
  }
  await client.close();
  await replying.close();

  say("== events, acknowledged by hand");
  const hearing = await service("events", { noAck: false, prefetchCount: 1 });
  const sender = ClientProxyFactory.create(options("events"));
  await sender.connect();
  await lastValueFrom(sender.emit("order.placed", { id: 7 }), { defaultValue: null });
  await pause(500);
  await sender.close();
  await hearing.close();

  say("== what is left");
  for (const queue of ["requests", "events", "dead"]) {
    say(await channel.checkQueue(queue));
    await channel.deleteQueue(queue);
  }
  await plain.close();
}

main().then(
  () => process.exit(0),
  (error) => {
    say("FAILED", String(error?.stack ?? error));
    process.exit(1);
  },
);
