<?php
// What php-amqplib is told by a broker: the same lines on a served one and on a live one. RABBITMQ_URL names it.

require_once 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPTimeoutException;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

$url = parse_url(getenv('RABBITMQ_URL'));
$vhost = rawurldecode(substr($url['path'], 1));

function connect($password, $vhost)
{
    global $url;
    return new AMQPStreamConnection($url['host'], $url['port'], $url['user'], $password, $vhost);
}

function say(...$words)
{
    $shown = array_map(fn ($word) => is_string($word) ? $word : json_encode($word, JSON_UNESCAPED_UNICODE), $words);
    echo implode(' ', $shown), "\n";
}

function refused(callable $act)
{
    try {
        $act();
        say('not refused');
    } catch (Exception $error) {
        say((new ReflectionClass($error))->getShortName(), $error->getCode(), $error->getMessage());
    }
}

$connection = connect($url['pass'], $vhost);
$channel = $connection->channel();

say('== publish, confirm, return');
$channel->confirm_select();
$channel->set_ack_handler(fn ($message) => say('confirmed', $message->getBody()));
$channel->set_nack_handler(fn ($message) => say('refused', $message->getBody()));
$channel->set_return_listener(fn ($code, $text, $exchange, $key, $message) => say('returned', $code, $text, $key, $message->getBody()));
$limited = new AMQPTable(['x-max-length' => 2, 'x-overflow' => 'reject-publish']);
say($channel->queue_declare('work', false, true, false, false, false, $limited));
$headers = new AMQPTable(['n' => 1, 'text' => 'ä', 'nested' => ['list' => [1, true]]]);
$properties = ['delivery_mode' => 2, 'content_type' => 'application/json', 'application_headers' => $headers];
$channel->basic_publish(new AMQPMessage('{}', $properties), '', 'work', true);
$channel->wait_for_pending_acks_returns(5);
$channel->basic_publish(new AMQPMessage('lost'), '', 'missing', true);
$channel->wait_for_pending_acks_returns(5);
$channel->basic_publish(new AMQPMessage('second'), '', 'work');
$channel->wait_for_pending_acks(5);
$channel->basic_publish(new AMQPMessage('third'), '', 'work');
$channel->wait_for_pending_acks(5);

say('== consume, settle, redeliver');
$channel->basic_qos(0, 1, false);
$heard = 0;
$channel->basic_consume('work', 'mine', false, false, false, false, function ($message) use (&$heard) {
    $told = $message->has('application_headers') ? $message->get('application_headers')->getNativeData() : [];
    ksort($told);
    say($message->getDeliveryTag(), $message->isRedelivered(), $message->getBody(), $told);
    ++$heard === 1 ? $message->nack(true) : $message->ack();
});
while ($heard < 3) {
    $channel->wait(null, false, 10);
}
say($channel->basic_cancel('mine'), $channel->basic_get('work'));

say('== exchanges, bindings, dead letters');
$channel->exchange_declare('topic', 'topic', false, true, false);
$channel->queue_declare('dead', false, true, false, false);
$wait = ['x-message-ttl' => 50, 'x-dead-letter-exchange' => '', 'x-dead-letter-routing-key' => 'dead'];
$channel->queue_declare('short', false, true, false, false, false, new AMQPTable($wait));
$channel->queue_bind('short', 'topic', 'a.*');
$channel->basic_publish(new AMQPMessage('late'), 'topic', 'a.b');
$channel->wait_for_pending_acks(5);
$died = false;
$channel->basic_consume('dead', 'mourner', false, true, false, false, function ($message) use (&$died) {
    $death = $message->get('application_headers')->getNativeData()['x-death'][0];
    say($death['reason'], $death['count'], $death['queue'], $death['routing-keys'], $message->getBody());
    $died = true;
});
while (!$died) {
    $channel->wait(null, false, 10);
}

say('== a channel that is closed');
refused(fn () => $connection->channel()->queue_declare('work', false, true, false, false));
refused(fn () => $connection->channel()->queue_declare('none', true));
refused(fn () => $connection->channel()->exchange_declare('topic', 'fanout', false, true, false));

say('== a consumer that the broker cancels');
$connection->channel()->queue_delete('dead');
refused(fn () => $channel->wait(null, false, 10));

$last = $connection->channel();
say($last->queue_delete('work'), $last->queue_delete('short'));
$last->exchange_delete('topic');
$connection->close();
say('closed');

say('== who may not in');
refused(fn () => connect('wrong', $vhost));
refused(fn () => connect($url['pass'], 'missing'));
