import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.GetResponse;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A week of waiting, tested in a moment. */
class WeekTest {
    @RegisterExtension
    RmqplayExtension broker = new RmqplayExtension();

    private Connection connection;
    private Channel channel;

    @BeforeEach
    void connect() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(broker.url());
        connection = factory.newConnection();
        channel = connection.createChannel();
        channel.confirmSelect();
    }

    @AfterEach
    void close() throws IOException {
        connection.close();
    }

    private static Map<String, Object> waiting(long ms, String to) {
        return Map.of("x-message-ttl", ms, "x-dead-letter-exchange", "", "x-dead-letter-routing-key", to);
    }

    @Test
    void anOrderThatNobodyTakesIsLateAfterAWeek() throws Exception {
        channel.queueDeclare("orders.late", true, false, false, null);
        channel.queueDeclare("orders", true, false, false, waiting(604_800_000L, "orders.late"));
        channel.basicPublish("", "orders", null, "one".getBytes());
        channel.waitForConfirmsOrDie(5_000);

        broker.advance("6d 23h");
        assertEquals(1, channel.messageCount("orders"));
        broker.advance("1h");
        GetResponse late = channel.basicGet("orders.late", true);
        assertEquals("one", new String(late.getBody()));
        List<?> deaths = (List<?>) late.getProps().getHeaders().get("x-death");
        assertEquals("expired", ((Map<?, ?>) deaths.get(0)).get("reason").toString());
    }

    @Test
    void timeWaitsForAWorkerThatTriesAgainEachHour() throws Exception {
        channel.queueDeclare("work", true, false, false, null);
        channel.queueDeclare("work.retry", true, false, false, waiting(3_600_000L, "work"));
        AtomicInteger tries = new AtomicInteger();
        Channel worker = connection.createChannel();
        worker.basicConsume("work", false, new DefaultConsumer(worker) {
            @Override
            public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) throws IOException {
                tries.incrementAndGet();
                worker.basicPublish("", "work.retry", null, body);
                worker.basicAck(envelope.getDeliveryTag(), false);
            }
        });
        channel.basicPublish("", "work", null, "job".getBytes());
        channel.waitForConfirmsOrDie(5_000);
        broker.advance("1d");
        assertTrue(tries.get() == 24 || tries.get() == 25, tries + " tries, and not one at once and one each hour");
    }
}
