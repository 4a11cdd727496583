# A Prometheus server scrapes the exporter; the shipped dashboard and alerts are asked of it.
load lib.bash
bats_require_minimum_version 1.5.0

API=http://127.0.0.1:9090/api/v1

# query EXPR: the series it gives
query() {
	get "$API/query" --data-urlencode "query=$1" | jq -ce 'select(.status == "success") | .data.result'
}

# value EXPR: of the one series it gives
value() {
	query "$1" | jq -re 'select(length == 1)[0].value[1]'
}

is_value() {
	[ "$(value "$1")" = "$2" ]
}

setup_file() {
	cd "$BATS_TEST_DIRNAME/../../.." || return 1
	make_dir
	start_daemon
	start_exporter a --web.listen-address 127.0.0.1:9798
	cat >"$DIR/prometheus.yml" <<-END
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: [$PWD/$RULES]
		scrape_configs:
		  - job_name: sockwarden
		    static_configs: [targets: ['127.0.0.1:9798']]
	END
	prometheus --config.file="$DIR/prometheus.yml" --storage.tsdb.path="$DIR/tsdb" \
		--web.listen-address=127.0.0.1:9090 --log.level=warn >"$DIR/prometheus.log" 2>&1 3>&- &
	PROMETHEUS=$!
	export DIR DAEMON EXPORTER PROMETHEUS
}

teardown_file() {
	kill "$PROMETHEUS" "$EXPORTER" "$DAEMON" # the last may be gone
	wait "$PROMETHEUS" "$EXPORTER"           # they write to the folder until then
	rm -rf "$DIR"
}

setup() {
	cd "$BATS_TEST_DIRNAME/../../.." || return 1
}

@test "the server has the exact bytes" {
	until_true is_value 'sockwarden_tenant_bytes_total{tenant="busy", direction="transmit", class="billable"}' 9007199254740991
	is_value 'sum(sockwarden_tenant_bytes_total{direction="receive"})' 52000
	is_value 'sockwarden_tenant_budget_left_bytes{tenant="busy"}' 50
	is_value 'sockwarden_ledger_last_tick_timestamp_seconds' 1790000060.456
	is_value 'sum by (cause) (sockwarden_closed_sockets_total{cause="idle"})' 6
	is_value 'sockwarden_pass_longest_seconds' 0.000345678
	is_value 'up{job="sockwarden"}' 1
	[ "$(query 'sockwarden_tenant_audited_total == 4' | jq -r '.[0].metric.tenant')" = $'a "quoted\\"\nname é' ]
}

@test "the server read it as OpenMetrics" {
	until_true is_value sockwarden_up 1
	get "$API/metadata" >"$BATS_TEST_TMPDIR/metadata"
	[ "$(jq -r '.data.sockwarden_build[0].type' "$BATS_TEST_TMPDIR/metadata")" = info ]
	[ "$(jq -r '.data.sockwarden_tenant_bytes[0] | .type + " " + .unit' "$BATS_TEST_TMPDIR/metadata")" = 'counter bytes' ]
}

@test "every query of the dashboard gives a series" {
	local expr queries=0
	until_true is_value 'count_over_time(sockwarden_up[1m]) > bool 2' 1 # a rate is of two samples
	while IFS= read -r expr; do
		expr=${expr//'$__rate_interval'/1m}
		expr=${expr//'$instance'/.*}
		expr=${expr//'$tenant'/.*}
		[[ $expr != *\$* ]]
		[ "$(query "$expr" | jq length)" -ge 1 ] || { echo "nothing: $expr" >&2; return 1; }
		queries=$((queries + 1))
	done < <(jq -r '.panels[].targets[].expr' "$DASHBOARD")
	[ "$queries" -ge 12 ]
	[ "$(jq '[.. | .expr? // empty] | length' "$DASHBOARD")" -eq "$queries" ]
}

@test "the variables of the dashboard have values" {
	local variable label
	while read -r variable label; do
		[ "$(get -G "$API/label/$label/values" --data-urlencode "match[]=$variable" | jq '.data | length')" -ge 1 ]
	done <<-END
		$(jq -r '.templating.list[] | select(.type == "query") | .definition' "$DASHBOARD" |
			sed 's/^label_values(\(.*\), \(.*\))$/\1 \2/; s/\$instance/.*/')
	END
	[ "$(jq -r '[.templating.list[].name] | join(" ")' "$DASHBOARD")" = 'datasource instance tenant' ]
	[ "$(jq '[.panels[].id] | length == (unique | length)' "$DASHBOARD")" = true ]
}

@test "the server evaluates the alerts, and those fire that should" {
	until_true is_value 'count(ALERTS{alertname="SockwardenBudgetNearlyUsed", alertstate="firing", tenant="busy"})' 1
	get "$API/rules" | jq -e '[.data.groups[].rules[].health] | length > 0 and all(. == "ok")'
	[ "$(query 'ALERTS{alertname=~"SockwardenDaemonDown|SockwardenLedgerNotBooking|SockwardenSlotsWaiting"}')" = '[]' ]
}

@test "each alert fires when it should, and only then" {
	local alert
	promtool check rules "$RULES"
	promtool test rules tests/box/exporter/rules.test.yml
	while read -r alert; do
		grep -q "alertname: $alert\$" tests/box/exporter/rules.test.yml || { echo "no test: $alert" >&2; return 1; }
	done < <(sed -n 's/^ *- alert: //p' "$RULES")
}

@test "a daemon that is gone is a value, not a gap" {
	kill "$DAEMON"
	until_true is_value sockwarden_up 0
	is_value 'up{job="sockwarden"}' 1
	[ "$(query sockwarden_tenant_bytes_total)" = '[]' ]
	until_true is_value 'count(ALERTS{alertname="SockwardenDaemonDown", alertstate="pending"})' 1
}
