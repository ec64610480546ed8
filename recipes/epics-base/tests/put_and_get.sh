# A soft IOC with two records on the loopback interface: a put is seen by a get and processed by the record behind it.
set -eu
find . -name voltage.db -exec cp {} here.db ';'
port=$(awk 'BEGIN { srand(); print 20000 + int(rand() * 20000) }')
export EPICS_CA_ADDR_LIST=127.0.0.1 EPICS_CA_AUTO_ADDR_LIST=NO EPICS_CAS_INTF_ADDR_LIST=127.0.0.1
export EPICS_CA_SERVER_PORT=$port EPICS_CA_REPEATER_PORT=$((port + 2)) EPICS_CAS_BEACON_ADDR_LIST=127.0.0.1
softIoc -S -d here.db >ioc.log 2>&1 &
ioc=$!
trap 'kill $ioc 2>/dev/null' EXIT
tries=0
until caget -w 2 -t T:V >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ $tries -lt 60 ] || { cat ioc.log; exit 1; }
done
caput -w 10 -t -c T:V 3 >/dev/null
test "$(caget -w 10 -t T:P)" = 6
