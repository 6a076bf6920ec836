# Posts each body of bodies.txt to the import of a broker, into a vhost of its own, and compares what comes of it with the three
# letters before it: y is taken, n is refused, on 3.10, 4.0 and 4.3.
version=$(curl -s "$MANAGEMENT/overview" | grep -o '"rabbitmq_version":"[^"]*"' | cut -d'"' -f4)
case $version in 3.10.*) at=0 ;; 4.0.*) at=1 ;; 4.3.*) at=2 ;; *) at= ;; esac
same=0
while read -r path kind letters body; do
  curl -s -X DELETE "$MANAGEMENT/vhosts/commands.taken" >/dev/null
  curl -s -X PUT "$MANAGEMENT/vhosts/commands.taken" >/dev/null
  code=$(curl -s -o /dev/null -w '%{http_code}' -H 'content-type: application/json' -d "$body" "$MANAGEMENT/definitions")
  case $code in 20?) found=y ;; 400 | 500) found=n ;; *) found=$code ;; esac
  # A version that was not measured is not compared.
  if [ -z "$at" ] || [ "$found" = "${letters:at:1}" ]; then
    same=$((same + 1))
  else
    echo "$version $path $kind: ${letters:at:1} is expected, and the broker answers $code"
  fi
done <bodies.txt
curl -s -X DELETE "$MANAGEMENT/vhosts/commands.taken" >/dev/null
echo "$same bodies are answered as expected"
