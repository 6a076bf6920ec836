// What amqp091-go is told by a broker: the same lines on a served one and on a live one. RABBITMQ_URL names it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var address = os.Getenv("RABBITMQ_URL")

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Println("FAILED", err)
		os.Exit(1)
	}
}

func within[T any](from <-chan T) T {
	select {
	case value := <-from:
		return value
	case <-time.After(10 * time.Second):
		panic("nothing came within 10 s")
	}
}

func shown(table amqp.Table) string {
	var words []string
	for name, value := range table {
		words = append(words, fmt.Sprintf("%s=%T:%v", name, value, value))
	}
	sort.Strings(words)
	return strings.Join(words, " ")
}

// The error by which a channel ends.
func ending(connection *amqp.Connection, act func(*amqp.Channel) error) {
	channel := must(connection.Channel())
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	err := act(channel)
	var told *amqp.Error
	if !errors.As(err, &told) {
		told = within(closed)
	}
	fmt.Println(told.Code, told.Reason, told.Server, told.Recover)
}

func main() {
	ctx := context.Background()
	connection := must(amqp.Dial(address))
	channel := must(connection.Channel())

	fmt.Println("== publish, confirm, return")
	check(channel.Confirm(false))
	confirms := channel.NotifyPublish(make(chan amqp.Confirmation, 10))
	returns := channel.NotifyReturn(make(chan amqp.Return, 10))
	limited := amqp.Table{"x-max-length": int32(2), "x-overflow": "reject-publish"}
	fmt.Println(must(channel.QueueDeclare("work", true, false, false, false, limited)))
	headers := amqp.Table{
		"n": int32(1), "text": "ä", "big": int64(1) << 40, "half": 0.5, "nested": amqp.Table{"list": []interface{}{int32(1), true, nil}},
		"at": time.Unix(1700000000, 0), "bytes": []byte{1, 2}, "decimal": amqp.Decimal{Scale: 2, Value: 314},
	}
	first := amqp.Publishing{Headers: headers, ContentType: "application/json", DeliveryMode: amqp.Persistent, Body: []byte("{}")}
	check(channel.PublishWithContext(ctx, "", "work", true, false, first))
	check(channel.PublishWithContext(ctx, "", "missing", true, false, amqp.Publishing{Body: []byte("lost")}))
	check(channel.PublishWithContext(ctx, "", "work", false, false, amqp.Publishing{Body: []byte("second"), Timestamp: time.Unix(1700000001, 0)}))
	check(channel.PublishWithContext(ctx, "", "work", false, false, amqp.Publishing{Body: []byte("third")}))
	answers := map[uint64]bool{}
	for len(answers) < 4 {
		confirm := within(confirms)
		answers[confirm.DeliveryTag] = confirm.Ack
	}
	fmt.Println(answers)
	back := within(returns)
	fmt.Println("returned", back.ReplyCode, back.ReplyText, string(back.Body))

	fmt.Println("== consume, settle, redeliver")
	check(channel.Qos(1, 0, false))
	deliveries := must(channel.Consume("work", "mine", false, false, false, false, nil))
	for n := 1; n <= 3; n++ {
		delivery := within(deliveries)
		fmt.Println(delivery.DeliveryTag, delivery.Redelivered, string(delivery.Body), delivery.ContentType, shown(delivery.Headers), delivery.Timestamp.Unix() == 1700000001)
		if n == 1 {
			check(delivery.Nack(false, true))
		} else {
			check(delivery.Ack(false))
		}
	}
	check(channel.Cancel("mine", false))
	_, more := must2(channel.Get("work", false))
	fmt.Println("left", more)

	fmt.Println("== exchanges, bindings, dead letters")
	check(channel.ExchangeDeclare("headers", "headers", true, false, false, false, nil))
	must(channel.QueueDeclare("dead", true, false, false, false, nil))
	wait := amqp.Table{"x-message-ttl": int32(50), "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
	must(channel.QueueDeclare("short", true, false, false, false, wait))
	check(channel.QueueBind("short", "", "headers", false, amqp.Table{"x-match": "any", "kind": "late"}))
	check(channel.PublishWithContext(ctx, "headers", "k", false, false, amqp.Publishing{Headers: amqp.Table{"kind": "late"}, Body: []byte("late")}))
	within(confirms)
	dead := must(channel.Consume("dead", "dead", true, false, false, false, nil))
	delivery := within(dead)
	death := delivery.Headers["x-death"].([]interface{})[0].(amqp.Table)
	fmt.Println(death["reason"], death["count"], death["queue"], death["routing-keys"], string(delivery.Body))

	fmt.Println("== a channel that is closed")
	ending(connection, func(c *amqp.Channel) error {
		_, err := c.QueueDeclare("work", true, false, false, false, nil)
		return err
	})
	ending(connection, func(c *amqp.Channel) error {
		_, err := c.QueueDeclarePassive("none", true, false, false, false, nil)
		return err
	})
	ending(connection, func(c *amqp.Channel) error { return c.Ack(7, false) })
	ending(connection, func(c *amqp.Channel) error {
		return c.PublishWithContext(ctx, "missing", "k", false, false, amqp.Publishing{})
	})

	fmt.Println("== a consumer that the broker cancels")
	cancels := channel.NotifyCancel(make(chan string, 1))
	must(channel.QueueDelete("dead", false, false, false))
	fmt.Println("cancelled", within(cancels))
	fmt.Println(must(channel.QueuePurge("work", false)), must(channel.QueueDelete("work", false, false, false)), must(channel.QueueDelete("short", false, false, false)))
	check(channel.ExchangeDelete("headers", false, false))

	fmt.Println("== a connection that is closed")
	closed := connection.NotifyClose(make(chan *amqp.Error, 1))
	check(must(connection.Channel()).PublishWithContext(ctx, "", "work", false, true, amqp.Publishing{}))
	told := within(closed)
	fmt.Println(told.Code, told.Reason)

	fmt.Println("== who may not in")
	_, err := amqp.Dial(strings.Replace(address, "guest:guest", "guest:wrong", 1))
	fmt.Println("password:", err)
	_, err = amqp.Dial(address[:strings.LastIndex(address, "/")] + "/missing")
	fmt.Println("vhost:", err)
}

func must2[T any](value T, ok bool, err error) (T, bool) {
	check(err)
	return value, ok
}
