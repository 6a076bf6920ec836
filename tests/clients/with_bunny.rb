# What Bunny is told by a broker: the same lines on a served one and on a live one. RABBITMQ_URL names it.

require "bunny"

$stdout.sync = true
URL = ENV.fetch("RABBITMQ_URL")

def connect(url)
  Bunny.new(url, automatically_recover: false, log_level: Logger::FATAL, logger: Logger.new(File::NULL)).start
end

def refused
  yield
  puts "not refused"
rescue Bunny::Exception, Timeout::Error => error
  puts "#{error.class} #{error.message}"
end

connection = connect(URL)
channel = connection.create_channel

puts "== publish, confirm, return"
channel.confirm_select
work = channel.queue("work", durable: true, arguments: { "x-max-length" => 2, "x-overflow" => "reject-publish" })
returned = Queue.new
exchange = channel.default_exchange
exchange.on_return { |info, _, body| returned << "returned #{info.reply_code} #{info.reply_text} #{body}" }
headers = { "n" => 1, "text" => "ä", "nested" => { "list" => [1, true, nil] } }
exchange.publish("{}", routing_key: "work", persistent: true, mandatory: true, content_type: "application/json", headers: headers)
exchange.publish("lost", routing_key: "missing", mandatory: true)
puts channel.wait_for_confirms
puts returned.pop
exchange.publish("second", routing_key: "work")
exchange.publish("third", routing_key: "work")
puts channel.wait_for_confirms, channel.nacked_set.to_a.inspect

puts "== consume, settle, redeliver"
channel.prefetch(1)
done = Queue.new
consumer = work.subscribe(manual_ack: true, consumer_tag: "mine") do |info, properties, body|
  told = (properties.headers || {}).sort.to_h
  puts "#{info.delivery_tag.to_i} #{info.redelivered?} #{body} #{properties.content_type} #{told.inspect}"
  info.delivery_tag.to_i == 1 ? channel.nack(info.delivery_tag, false, true) : channel.ack(info.delivery_tag)
  done << true if info.delivery_tag.to_i == 3
end
done.pop
consumer.cancel
puts work.message_count, work.pop.inspect

puts "== exchanges, bindings, dead letters"
topic = channel.topic("topic", durable: true)
dead = channel.queue("dead", durable: true)
wait = { "x-message-ttl" => 50, "x-dead-letter-exchange" => "", "x-dead-letter-routing-key" => "dead" }
short = channel.queue("short", durable: true, arguments: wait).bind(topic, routing_key: "a.*")
topic.publish("late", routing_key: "a.b")
died = Queue.new
cancelled = Queue.new
mourner = Bunny::Consumer.new(channel, dead, "mourner", true)
mourner.on_delivery { |_, properties, body| died << [properties.headers["x-death"].first, body] }
mourner.on_cancellation { |cancel| cancelled << cancel.consumer_tag }
dead.subscribe_with(mourner)
death, body = died.pop
puts death.values_at("reason", "count", "queue", "routing-keys").inspect, body

puts "== a channel that is closed"
refused { connection.create_channel.queue("work", durable: true) }
refused { connection.create_channel.queue("none", passive: true) }
refused { connection.create_channel.fanout("topic", durable: true) }
refused { connection.create_channel.queue("amq.mine") }

puts "== a consumer that the broker cancels"
connection.create_channel.queue_delete("dead")
puts cancelled.pop
puts work.delete.message_count, short.delete.message_count
topic.delete
connection.close
puts "closed"

puts "== who may not in"
refused { connect(URL.sub("guest:guest", "guest:wrong")) }
refused { connect(URL.sub(%r{/[^/]*$}, "/missing")) }
