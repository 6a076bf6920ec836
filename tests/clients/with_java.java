// What RabbitMQ's Java client is told by a broker: the same lines on a served one and on a live one. RABBITMQ_URL names it.

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

class Play {
    static final String URL = System.getenv("RABBITMQ_URL");
    static final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

    static void say(Object... words) {
        StringBuilder line = new StringBuilder();
        for (Object word : words) line.append(line.length() > 0 ? " " : "").append(word);
        System.out.println(line);
    }

    static String next() throws InterruptedException {
        String word = heard.poll(60, TimeUnit.SECONDS);
        return word == null ? "nothing" : word;
    }

    static Connection connect(String url) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(url);
        factory.setAutomaticRecoveryEnabled(false);
        factory.setConnectionTimeout(60_000);
        factory.setHandshakeTimeout(60_000);
        return factory.newConnection();
    }

    static void refused(Callable<?> act) {
        try {
            act.call();
            say("not refused");
        } catch (Exception error) {
            Throwable cause = error.getCause() == null ? error : error.getCause();
            Object reason = cause instanceof ShutdownSignalException ? ((ShutdownSignalException) cause).getReason() : null;
            if (reason instanceof AMQP.Channel.Close) {
                AMQP.Channel.Close close = (AMQP.Channel.Close) reason;
                say(close.getReplyCode(), close.getReplyText(), close.getClassId(), close.getMethodId());
            } else if (reason instanceof AMQP.Connection.Close) {
                AMQP.Connection.Close close = (AMQP.Connection.Close) reason;
                say(close.getReplyCode(), close.getReplyText(), close.getClassId(), close.getMethodId());
            } else {
                say(cause.getClass().getSimpleName(), cause.getMessage());
            }
        }
    }

    static DefaultConsumer consumer(Channel channel, boolean requeuesFirst) {
        return new DefaultConsumer(channel) {
            @Override
            public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) throws IOException {
                Map<String, Object> headers = properties.getHeaders() == null ? Map.of() : new TreeMap<>(properties.getHeaders());
                boolean first = requeuesFirst && envelope.getDeliveryTag() == 1;
                Object told = headers.containsKey("x-death") ? ((Map<?, ?>) ((List<?>) headers.get("x-death")).get(0)).get("reason") : headers.get("n");
                heard.add(envelope.getDeliveryTag() + " " + envelope.isRedeliver() + " " + new String(body) + " " + properties.getContentType() + " " + told);
                if (first) channel.basicNack(envelope.getDeliveryTag(), false, true);
                else channel.basicAck(envelope.getDeliveryTag(), false);
            }

            @Override
            public void handleCancel(String tag) {
                heard.add("cancelled " + tag);
            }
        };
    }

    public static void main(String[] arguments) throws Exception {
        Connection connection = connect(URL);
        Channel channel = connection.createChannel();

        say("== publish, confirm, return");
        channel.confirmSelect();
        channel.addReturnListener((code, text, exchange, key, properties, body) -> heard.add("returned " + code + " " + text + " " + new String(body)));
        say(channel.queueDeclare("work", true, false, false, Map.of("x-max-length", 2, "x-overflow", "reject-publish")).getMessageCount());
        AMQP.BasicProperties json = new AMQP.BasicProperties.Builder().contentType("application/json").deliveryMode(2).headers(Map.of("n", 1)).build();
        channel.basicPublish("", "work", true, json, "{}".getBytes());
        channel.basicPublish("", "missing", true, null, "lost".getBytes());
        say(channel.waitForConfirms(), next());
        channel.basicPublish("", "work", null, "second".getBytes());
        say(channel.waitForConfirms());
        channel.basicPublish("", "work", null, "third".getBytes());
        say(channel.waitForConfirms());

        say("== consume, settle, redeliver");
        channel.basicQos(1);
        channel.basicConsume("work", false, "mine", consumer(channel, true));
        for (int n = 0; n < 3; n++) say(next());
        channel.basicCancel("mine");
        say(channel.basicGet("work", true), channel.messageCount("work"), channel.consumerCount("work"));

        say("== exchanges, bindings, dead letters");
        channel.exchangeDeclare("topic", "topic", true);
        channel.exchangeDeclare("inner", "fanout", true);
        channel.exchangeBind("inner", "topic", "a.*");
        channel.queueDeclare("dead", true, false, false, null);
        channel.queueDeclare("short", true, false, false, Map.of("x-message-ttl", 50, "x-dead-letter-exchange", "", "x-dead-letter-routing-key", "dead"));
        channel.queueBind("short", "inner", "");
        channel.basicPublish("topic", "a.b", null, "late".getBytes());
        say(channel.waitForConfirms());
        channel.basicConsume("dead", false, "mourner", consumer(channel, false));
        say(next());

        say("== a channel that is closed");
        refused(() -> connection.createChannel().queueDeclare("work", true, false, false, null));
        refused(() -> connection.createChannel().queueDeclarePassive("none"));
        refused(() -> connection.createChannel().exchangeDeclare("topic", "fanout", true));

        say("== a consumer that the broker cancels");
        channel.queueDelete("dead");
        say(next());
        for (String queue : List.of("work", "short")) say(channel.queueDelete(queue).getMessageCount());
        for (String exchange : List.of("topic", "inner")) channel.exchangeDelete(exchange);
        connection.close();
        say("closed");

        say("== who may not in");
        refused(() -> connect(URL.replace("guest:guest", "guest:wrong")));
        refused(() -> connect(URL.substring(0, URL.lastIndexOf('/')) + "/missing"));
        System.exit(0);
    }
}
