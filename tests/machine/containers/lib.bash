# shellcheck shell=bash
# What the cases share: a machine, an image, clients, and the counter on the far side.

# shellcheck source=tests/lib/common.bash
source "$BATS_TEST_DIRNAME/../../lib/common.bash"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
POLICY=/run/containers.yaml
IMAGE=/run/image      # folders, for programs that are mounted
COUNTER=/run/far      # ask, answer
PEER=93.184.216.34 REFUSED=10.1.2.3
BYTES=$((5 * 128)) # datagrams of 100 bytes, UDP and IPv4

# Each sends five datagrams of 100 bytes and has them back, then tries the peer that is refused
ECHO_PY="import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
s.connect(('$PEER', 80))
for i in range(5):
    s.send(b'x' * 100)
    assert len(s.recv(200)) == 100
try:
    socket.socket().connect(('$REFUSED', 80))
    print('LET THROUGH')
except PermissionError:
    print('refused')"

ECHO_PHP="\$s = stream_socket_client('udp://$PEER:80');
for (\$i = 0; \$i < 5; \$i++) { fwrite(\$s, str_repeat('x', 100)); strlen(fread(\$s, 200)) == 100 || exit(1); }
echo @stream_socket_client('tcp://$REFUSED:80', \$no, \$text, 5) ? 'LET THROUGH' : (\$no == 13 || \$no == 1 ? 'refused' : \$text);"

ECHO_NODE="const s = require('dgram').createSocket('udp4');
let left = 5;
const send = () => s.send(Buffer.alloc(100), 80, '$PEER');
s.on('message', m => { if (m.length == 100 && --left) return send(); s.close();
	require('net').connect(80, '$REFUSED').on('connect', () => console.log('LET THROUGH'))
		.on('error', e => console.log(['EACCES', 'EPERM'].includes(e.code) ? 'refused' : e.code)); });
send();"

# Answers once, at port 80
SERVE_PY="import socket
s = socket.create_server(('', 80))
c, _ = s.accept()
c.sendall(b'served')
c.close()"

# served PORT: within half a minute in all; a connect to a listener that is refused may wait for as long as it likes
served() {
	timeout 30 bash -c 'until [ "$(cat <"/dev/tcp/198.51.0.2/$0")" = served ]; do sleep 0.05; done' "$1" 2>/dev/null
}

# ask_far reset|read: into `answer`
ask_far() {
	echo "$1" 1<>$COUNTER/ask
	read -r -t 20 answer <>$COUNTER/answer || { echo 'the counter on the far side is silent' >&2 && false; }
}

# billed: a line for each tenant, with what it was billed, out and in
billed() {
	sockwarden status --json | jq -r '.[] | "\(.tenant) \(.sent_bytes) \(.received_bytes)"'
}

# newly_billed BEFORE: the lines that differ, by how much
newly_billed() {
	billed | awk 'FILENAME != "-" { sent[$1] = $2; received[$1] = $3; next }
		$2 != sent[$1] + 0 || $3 != received[$1] + 0 { print $1, $2 - sent[$1], $3 - received[$1] }' <(echo "$1") -
}

# policed [-TIMES] TENANT CMD...: CMD runs a client in a container. What the policy refuses is refused, and what the far side
# counted meanwhile was billed, so many times, to this tenant and to nobody else
policed() {
	local times=1 tenant before answer said sent received
	[[ $1 != -* ]] || { times=${1#-} && shift; }
	tenant=$1
	before=$(billed)
	ask_far reset
	said=$("${@:2}")
	[ "$said" = refused ] || { echo "the client said: $said" >&2 && return 1; }
	ask_far read
	[[ $answer =~ ^sent_bytes=([0-9]+).*\ received_bytes=([0-9]+) ]]
	sent=${BASH_REMATCH[1]} received=${BASH_REMATCH[2]}
	[ "$sent $received" = "$BYTES $BYTES" ] || { echo "the far side counted $sent and $received" >&2 && return 1; }
	said=$(newly_billed "$before")
	[ "$said" = "$tenant $((times * sent)) $((times * received))" ] || { echo "billed: $said" >&2 && return 1; }
}
