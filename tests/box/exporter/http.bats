# The exporter as a scraper, an operator and a service manager meet it.
load lib.bash
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../../.." || return 1
	make_dir
	start_daemon
}

teardown() {
	[[ -n ${EXPORTER:-} ]] && kill "$EXPORTER"
	kill "$DAEMON"
	rm -rf "$DIR"
}

@test "both texts are what promtool and the formats want" {
	start_exporter a --web.listen-address 127.0.0.1:0
	get "http://$AT/metrics" >"$DIR/text"
	run promtool check metrics <"$DIR/text"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	get -H "Accept: $OPENMETRICS" "http://$AT/metrics" >"$DIR/open"
	[ "$(tail -n 1 "$DIR/open")" = '# EOF' ]
	grep -qx '# TYPE sockwarden_build info' "$DIR/open"
	grep -qx '# UNIT sockwarden_tenant_bytes bytes' "$DIR/open"
	diff <(grep -v '^#' "$DIR/text") <(grep -v '^#' "$DIR/open")
}

@test "the numbers are the daemon's, to the byte" {
	once >"$DIR/text"
	grep -qxF 'sockwarden_up 1' "$DIR/text"
	grep -qxF "sockwarden_build_info{version=\"$("$DIR/bin/sockwarden-exporter" --version | cut -d' ' -f2)\"} 1" "$DIR/text"
	grep -qxF 'sockwarden_tenant_bytes_total{class="billable",direction="transmit",tenant="busy"} 9007199254740991' "$DIR/text"
	grep -qxF 'sockwarden_tenant_payload_bytes_total{class="billable",direction="transmit",tenant="busy"} 9007199254000000' "$DIR/text"
	grep -qxF 'sockwarden_tenant_packets_total{class="exempt",direction="transmit",tenant="busy"} 1' "$DIR/text"
	grep -qxF 'sockwarden_tenant_denied_total{reason="over-budget",tenant="busy"} 2' "$DIR/text"
	grep -qxF 'sockwarden_tenant_rule_decisions_total{rule="4 deny: {port: 25}",tenant="busy"} 5' "$DIR/text"
	grep -qxF 'sockwarden_tenant_rule_decisions_total{rule="inside",tenant="busy"} 3' "$DIR/text"
	grep -qxF 'sockwarden_tenant_rule_decisions_total{rule="default",tenant="busy"} 17' "$DIR/text"
	grep -qxF 'sockwarden_tenant_budget_left_bytes{period="day",tenant="busy"} 50' "$DIR/text"
	grep -qxF 'sockwarden_tenant_info{state="incomplete",tenant="half"} 1' "$DIR/text"
	grep -qxF 'sockwarden_tenant_audited_total{tenant="a \"quoted\\\"\nname é"} 4' "$DIR/text"
	grep -qxF 'sockwarden_tenants{state="enforced"} 1' "$DIR/text"
	grep -qxF 'sockwarden_tenants{state="gone"} 1' "$DIR/text"
	grep -qxF 'sockwarden_ledger_last_tick_timestamp_seconds 1790000060.456' "$DIR/text"
	grep -qxF 'sockwarden_daemon_tick_cpu_seconds_total 1.234' "$DIR/text"
	grep -qxF 'sockwarden_closed_sockets_total{cause="idle",tenant="busy"} 6' "$DIR/text"
	grep -qxF 'sockwarden_closed_sockets_total{cause="transfer",tenant="busy"} 1' "$DIR/text"
	grep -qxF 'sockwarden_closed_sockets_total{cause="idle",tenant="half"} 0' "$DIR/text"
	[ "$(grep -c '^sockwarden_closed_sockets_total' "$DIR/text")" -eq 5 ] # three tenants, two other causes
	grep -qxF 'sockwarden_tenant_names_total{tenant="busy",what="learned"} 21' "$DIR/text"
	grep -qxF 'sockwarden_tenant_names_total{tenant="busy",what="closed"} 3' "$DIR/text"
	grep -qxF 'sockwarden_tenant_names_total{tenant="busy",what="cap"} 0' "$DIR/text"
	[ "$(grep -c '^sockwarden_tenant_names_total' "$DIR/text")" -eq 4 ] # of the one whose policy has names
	grep -qxF 'sockwarden_set_published_timestamp_seconds{set="google"} 1789948800.000' "$DIR/text"
	grep -qxF 'sockwarden_passes_total 12' "$DIR/text"
	grep -qxF 'sockwarden_pass_errors_total 1' "$DIR/text"
	grep -qxF 'sockwarden_pass_cpu_seconds_total 4.567891234' "$DIR/text"
	grep -qxF 'sockwarden_pass_longest_seconds 0.000345678' "$DIR/text"
	grep -qxF 'sockwarden_pass_timestamp_seconds 1790000059.789' "$DIR/text"
	grep -qxF 'sockwarden_sockets_seen 200000' "$DIR/text"
	grep -qxF 'sockwarden_sockets_stuck 2' "$DIR/text"
	grep -qxF 'sockwarden_sockets_held{tenant="half"} 2' "$DIR/text"
	[ "$(grep -c '^sockwarden_tenant_budget' "$DIR/text")" -eq 2 ]
	grep -qxF 'sockwarden_tenant_denied_total{reason="rule",tenant="half"} 0' "$DIR/text"
	[ "$(grep -c '^sockwarden_tenant.*tenant="half"' "$DIR/text")" -eq 11 ] # nothing exempt, one reason
}

@test "the Accept header chooses the text" {
	local accept want
	start_exporter a --web.listen-address 127.0.0.1:0
	while IFS='|' read -r want accept; do
		got=$(get -o /dev/null -w '%{content_type}' -H "Accept: $accept" "http://$AT/metrics")
		[[ $got == *"$want"* ]] || { echo "Accept: $accept: $got" >&2; return 1; }
	done <<-END
		text/plain; version=0.0.4|
		text/plain; version=0.0.4|*/*
		text/plain; version=0.0.4|application/json, text/*
		openmetrics-text; version=1.0.0|$OPENMETRICS
		openmetrics-text; version=1.0.0|text/plain, Application/OpenMetrics-Text; version="1.0.0"; charset=utf-8
	END
}

@test "each address has its answer, to GET and HEAD only" {
	start_exporter a --web.listen-address 127.0.0.1:0 --web.telemetry-path /here
	[ "$(status "http://$AT/here")" = 200 ]
	[ "$(status "http://$AT/metrics")" = 404 ]
	[ "$(status "http://$AT/here/")" = 404 ]
	get "http://$AT/" | grep -qF '<a href="/here">'
	[ "$(status "http://$AT/-/healthy")" = 200 ]
	[ "$(status "http://$AT/-/ready")" = 200 ]
	[ "$(status -I "http://$AT/here")" = 200 ]
	[ "$(get -I "http://$AT/here" | tr -d '\r' | sed -n 's/^Content-Length: //p')" = "$(get "http://$AT/here" | wc -c)" ]
	for method in POST PUT DELETE OPTIONS TRACE FROB; do
		[ "$(status -X $method "http://$AT/here")" = 405 ]
	done
	get -i -d "$(head -c 100000 /dev/zero | tr '\0' x)" "http://$AT/here" | tr -d '\r' | grep -qx 'Allow: GET, HEAD'
}

@test "without the daemon the metrics say so, and ready does" {
	start_exporter a --web.listen-address 127.0.0.1:0
	kill "$DAEMON"
	until_true [ ! -e "/proc/$DAEMON" ]
	[ "$(get "http://$AT/metrics" | grep -v '^#' | cut -d'{' -f1)" = 'sockwarden_up 0
sockwarden_build_info' ]
	[ "$(status "http://$AT/-/healthy")" = 200 ]
	[ "$(status "http://$AT/-/ready")" = 503 ]
	[ "$(get "http://$AT/-/ready" | wc -l)" -eq 1 ]
	run -1 once
	[[ $output == *'sockwarden_up 0'* ]]
	[ "$(grep -c 'no daemon answers' "$DIR/a.err")" -eq 1 ]
	start_daemon
	[ "$(status "http://$AT/-/ready")" = 200 ]
	grep -q 'the daemon answers' "$DIR/a.err"
	get "http://$AT/metrics" | grep -qx 'sockwarden_up 1'
}

@test "many scrapes at once say once that the daemon went" {
	local scrapes=()
	start_exporter a --web.listen-address 127.0.0.1:0
	kill "$DAEMON"
	until_true [ ! -e "/proc/$DAEMON" ]
	for _ in {1..20}; do
		get -o /dev/null "http://$AT/metrics" "http://$AT/-/ready" "http://$AT/metrics" 3>&- &
		scrapes+=($!)
	done
	wait "${scrapes[@]}"
	[ "$(grep -c 'no daemon answers' "$DIR/a.err")" -eq 1 ]
	run ! grep -v '^sockwarden-exporter: ' "$DIR/a.err"
	start_daemon
}

@test "it needs no right, gives up new ones, and ends on SIGTERM" {
	start_exporter a --web.listen-address 127.0.0.1:0
	grep -qx 'CapEff:	0000000000000000' "/proc/$EXPORTER/status"
	grep -qx 'NoNewPrivs:	1' "/proc/$EXPORTER/status"
	run ! grep -q root "$DIR/a.err"
	kill -TERM "$EXPORTER"
	wait "$EXPORTER"
	unset EXPORTER
	"$DIR/bin/sockwarden" exporter --socket "$DIR/daemon.sock" --web.listen-address 127.0.0.1:0 2>"$DIR/root.err" 3>&- &
	until_true grep -q 'as root' "$DIR/root.err"
	end $!
}

@test "it listens where it is told, or else on the loopback" {
	start_exporter loopback
	[ "$AT" = 127.0.0.1:10798 ]
	end "$EXPORTER"
	start_exporter v6 --web.listen-address '[::1]:9798'
	[ "$AT" = '[::1]:9798' ]
	[ "$(status -g 'http://[::1]:9798/metrics')" = 200 ]
	run -1 "$DIR/bin/sockwarden" exporter --web.listen-address '[::1]:9798'
	[[ $output == *'cannot listen on [::1]:9798'* ]]
	end "$EXPORTER"
	start_exporter all --web.listen-address :9798
	[ "$(status -g 'http://[::1]:9798/metrics')" = 200 ]
	[ "$(status http://127.0.0.1:9798/metrics)" = 200 ]
	for bad in 9798 127.0.0.1 :x :65536 :-1 ::1:9798 '[::1:9798' 'a.example:9798' ''; do
		run -2 "$DIR/bin/sockwarden" exporter --web.listen-address "$bad"
		[[ $output == *'is no address'* ]]
	done
}

@test "it takes the socket systemd passes, and no other" {
	cat >"$DIR/pass.py" <<-'END'
		import os, socket, sys
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1) # as systemd does
		s.bind(("127.0.0.1", 9797))
		if sys.argv[1] == "listening":
		    s.listen()
		os.dup2(s.fileno(), 3)
		os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
		os.execv(sys.argv[2], sys.argv[2:])
	END
	python3 "$DIR/pass.py" listening "$DIR/bin/sockwarden" exporter --web.systemd-socket --socket "$DIR/daemon.sock" \
		>"$DIR/out" 2>&1 &
	EXPORTER=$!
	until_true curl -s http://127.0.0.1:9797/-/healthy
	get http://127.0.0.1:9797/metrics | grep -qx 'sockwarden_up 1'
	end "$EXPORTER"
	unset EXPORTER
	run -1 timeout 10 python3 "$DIR/pass.py" bound "$DIR/bin/sockwarden" exporter --web.systemd-socket
	[[ $output == *'does not listen'* ]]
	run -1 "$DIR/bin/sockwarden" exporter --web.systemd-socket
	[[ $output == *'systemd passed no socket'* ]]
	LISTEN_PID=1 LISTEN_FDS=1 run -1 "$DIR/bin/sockwarden" exporter --web.systemd-socket
	[[ $output == *'systemd passed no socket'* ]]
}

@test "a client that says nothing holds up nobody" {
	start_exporter a --web.listen-address 127.0.0.1:0
	exec 7<>"/dev/tcp/127.0.0.1/${AT##*:}"
	printf 'GET /metrics HTTP/1.1\r\n' >&7
	[ "$(status "http://$AT/metrics")" = 200 ]
	exec 7>&-
}

# hold HOW CONNECTIONS FROM...: takes so many places at $AT; `hold_end` gives them back
hold() {
	local line
	coproc SLOW { python3 "$BATS_TEST_DIRNAME/slow.py" 127.0.0.1 "${AT##*:}" "$@" 3>&-; }
	read -r -t 60 line <&"${SLOW[0]}"
	[ "$line" = ready ]
}

hold_end() {
	eval "exec ${SLOW[1]}>&-"
	wait "$SLOW_PID"
}

# scraped ADDRESS: often enough, each whole; connections are made anew in between
scraped() {
	local i
	for ((i = 0; i < 12; i++)); do
		[ "$(status --interface "$1" "http://$AT/metrics")" = 200 ] || { echo "scrape $i failed" >&2; return 1; }
		sleep 0.2
	done
}

@test "who holds as many connections as there are, and more, keeps no scraper out, from the same address or another" {
	local how
	start_exporter a --web.listen-address 127.0.0.1:0
	for how in bytes silent deaf; do
		hold "$how" 400
		scraped 127.0.0.1
		scraped 127.0.0.2
		hold_end
	done
	hold bytes 400 127.0.0.{3..40}
	scraped 127.0.0.1
	scraped 127.0.0.3
	hold_end
}

@test "a request has so long, however busy it is" {
	local line
	start_exporter a --web.listen-address 127.0.0.1:0
	hold bytes 8
	read -r -t 240 line <&"${SLOW[0]}"
	[ "$line" = ended ]
	hold_end
}

@test "tenants can be left out; the sums over them stay" {
	once --tenants off >"$DIR/off"
	run ! grep -q 'tenant=' "$DIR/off"
	promtool check metrics <"$DIR/off"
	grep -qxF 'sockwarden_tenants_bytes{class="billable",direction="transmit"} 9007199254742491' "$DIR/off"
	grep -qxF 'sockwarden_tenants_bytes{class="exempt",direction="transmit"} 1040' "$DIR/off"
	grep -qxF 'sockwarden_tenants_denied{reason="option"} 4' "$DIR/off"
	grep -qxF 'sockwarden_tenants_closed_sockets{cause="idle"} 6' "$DIR/off"
	grep -qxF 'sockwarden_tenants_closed_sockets{cause="revoked"} 2' "$DIR/off"
	once --tenants top:1 >"$DIR/top"
	promtool check metrics <"$DIR/top"
	[ "$(sed -n 's/.*tenant="\([^"]*\)".*/\1/p' "$DIR/top" | sort -u)" = busy ]
	grep -qxF 'sockwarden_tenants_bytes{class="billable",direction="transmit"} 9007199254742491' "$DIR/top"
	once --tenants top:3 | grep -v 'sockwarden_tenants_\|sockwarden_sockets_held' | sort >"$DIR/three"
	diff "$DIR/three" <(once | grep -v sockwarden_sockets_held | sort)
	grep -qxF 'sockwarden_sockets_held 2' "$DIR/off"
	run ! grep -q '^sockwarden_tenants_bytes' <(once)
	for bad in top: top:0 top:x top:-1 top:01 top:1000000 some ''; do
		run -2 once --tenants "$bad"
	done
}

@test "a textfile is replaced at once, for others to read" {
	mkdir -m 0777 "$DIR/text"
	textfile() { (umask 077; as_nobody "$DIR/bin/sockwarden" exporter --socket "$DIR/daemon.sock" --textfile "$@"); }
	textfile "$DIR/text/sockwarden.prom"
	promtool check metrics <"$DIR/text/sockwarden.prom"
	[ "$(stat -c %a "$DIR/text/sockwarden.prom")" = 644 ]
	diff "$DIR/text/sockwarden.prom" <(once)
	ln "$DIR/text/sockwarden.prom" "$DIR/text/before"
	kill "$DAEMON"
	until_true [ ! -e "/proc/$DAEMON" ]
	run -1 textfile "$DIR/text/sockwarden.prom"
	[[ $output == *'no daemon answers'* ]]
	grep -qx 'sockwarden_up 0' "$DIR/text/sockwarden.prom"
	grep -qx 'sockwarden_up 1' "$DIR/text/before"
	mkdir "$DIR/text/folder.prom"
	run -1 textfile "$DIR/text/folder.prom"
	run -1 textfile "$DIR/none/x.prom"
	run -2 textfile "$DIR/text/sockwarden.txt"
	run -2 textfile "$DIR/text/.prom"
	[ "$(ls -A "$DIR/text" | tr '\n' ' ')" = 'before folder.prom sockwarden.prom ' ]
	start_daemon
}

@test "mistakes in options are one line and end in 2" {
	for bad in --nosuch '--socket' 'word' '--web.telemetry-path x' '--web.telemetry-path /a"b' '--web.telemetry-path /' \
		'--web.telemetry-path /-/ready' '--once --textfile x.prom' '--web.systemd-socket --web.listen-address :1'; do
		# shellcheck disable=SC2086
		run -2 "$DIR/bin/sockwarden" exporter $bad
		[ ${#lines[@]} -eq 1 ]
	done
	run -0 "$DIR/bin/sockwarden" exporter --help
	[[ $output == *--web.listen-address* && $output == *'needs no right'* ]]
	run -1 sh -c '"$0" --help >/dev/full' "$DIR/bin/sockwarden-exporter"
}

@test "sockwarden finds the exporter where it is installed" {
	make -s install DESTDIR="$DIR/root"
	run -0 "$DIR/root/usr/bin/sockwarden" exporter --version
	[[ $output == sockwarden-exporter\ * ]]
	[ -s "$DIR/root/usr/share/sockwarden/grafana/sockwarden.json" ]
	[ -s "$DIR/root/usr/share/sockwarden/prometheus/sockwarden.rules.yml" ]
	rm "$DIR/root/usr/libexec/sockwarden/sockwarden-exporter"
	run -1 "$DIR/root/usr/bin/sockwarden" exporter --version
	[ ${#lines[@]} -eq 1 ]
}
