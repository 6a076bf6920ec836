# A watch of one/: each change is made once the watch waits for it.
rmqplay watch one --snapshots accept > out 2>&1 &
pid=$!
turn=0
waits() {
  turn=$((turn + 1))
  for _ in $(seq 400); do
    [ "$(grep -c 'Ctrl-C ends' out)" -ge $turn ] && return
    sleep 0.05
  done
  echo "the watch did not wait for the change number $turn"
}
waits; sed -i 's/name: work/name: jobs/' topology.yaml
waits; sed -i 's/steps:/stpes:/' one/first.yaml
waits; sed -i 's/stpes:/steps:/; s/work/jobs/' one/first.yaml
waits; rm one/second.yaml
waits; echo 'changed by hand' >> one/snapshots/first.snap; touch one/first.yaml.swp one/notes.txt
waits; cp third.yaml one/
waits; rm one/*.yaml
waits; mv one two
waits; kill -INT $pid
wait $pid
echo "ended with $?"
cat out
