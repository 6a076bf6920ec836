package week

import (
	"context"
	"sync/atomic"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

func open(t *testing.T, broker *Broker) *amqp.Channel {
	t.Helper()
	connection, err := amqp.Dial(broker.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	channel, err := connection.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := channel.Confirm(false); err != nil {
		t.Fatal(err)
	}
	return channel
}

func declare(t *testing.T, channel *amqp.Channel, name string, arguments amqp.Table) amqp.Queue {
	t.Helper()
	queue, err := channel.QueueDeclare(name, true, false, false, false, arguments)
	if err != nil {
		t.Fatal(err)
	}
	return queue
}

// publish returns when the broker has the message.
func publish(t *testing.T, channel *amqp.Channel, queue string, body []byte) {
	t.Helper()
	message := amqp.Publishing{Body: body, DeliveryMode: amqp.Persistent}
	confirmation, err := channel.PublishWithDeferredConfirmWithContext(context.Background(), "", queue, true, false, message)
	if err != nil || !confirmation.Wait() {
		t.Fatal("not confirmed", err)
	}
}

func waiting(ms int64, to string) amqp.Table {
	return amqp.Table{"x-message-ttl": ms, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": to}
}

func TestAnOrderThatNobodyTakesIsLateAfterAWeek(t *testing.T) {
	broker := serve(t)
	channel := open(t, broker)
	declare(t, channel, "orders.late", nil)
	declare(t, channel, "orders", waiting(604_800_000, "orders.late"))
	publish(t, channel, "orders", []byte("one"))

	broker.Advance("6d 23h")
	if queue := declare(t, channel, "orders", waiting(604_800_000, "orders.late")); queue.Messages != 1 {
		t.Fatal("it waits no longer")
	}
	broker.Advance("1h")
	late, ok, err := channel.Get("orders.late", true)
	if err != nil || !ok || string(late.Body) != "one" {
		t.Fatal("it is not late", ok, err)
	}
	death := late.Headers["x-death"].([]interface{})[0].(amqp.Table)
	if death["reason"] != "expired" {
		t.Fatal(death)
	}
}

func TestTimeWaitsForAWorkerThatTriesAgainEachHour(t *testing.T) {
	broker := serve(t)
	channel := open(t, broker)
	declare(t, channel, "work", nil)
	declare(t, channel, "work.retry", waiting(3_600_000, "work"))
	worker := open(t, broker)
	deliveries, err := worker.Consume("work", "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	var tries int32
	go func() {
		for delivery := range deliveries {
			atomic.AddInt32(&tries, 1)
			_ = worker.PublishWithContext(context.Background(), "", "work.retry", false, false, amqp.Publishing{Body: delivery.Body})
			_ = delivery.Ack(false)
		}
	}()
	publish(t, channel, "work", []byte("job"))
	broker.Advance("1d")
	if count := atomic.LoadInt32(&tries); count != 24 && count != 25 {
		t.Fatalf("%d tries, and not one at once and one each hour", count)
	}
}
