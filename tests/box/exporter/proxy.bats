# TLS and users before the exporter: nginx with the configuration that is shipped, asked by curl and by Prometheus.
load lib.bash
bats_require_minimum_version 1.5.0

# authority NAME: a certificate that signs others
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
		-keyout "$DIR/$1.key" -out "$DIR/$1.crt" 2>/dev/null
}

# certificate NAME AUTHORITY: for 127.0.0.1
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
		-keyout "$DIR/$1.key" -out "$DIR/$1.csr" 2>/dev/null
	openssl x509 -req -in "$DIR/$1.csr" -CA "$DIR/$2.crt" -CAkey "$DIR/$2.key" -CAcreateserial -days 2 \
		-extfile <(echo subjectAltName=IP:127.0.0.1) -out "$DIR/$1.crt" 2>/dev/null
}

# start_proxy: what is shipped, with its files in $DIR and the exporter where it is
start_proxy() {
	cat >"$DIR/nginx.conf" <<-END
		daemon off;
		error_log $DIR/nginx.log;
		pid $DIR/nginx.pid;
		events {}
		http {
			access_log off;
			client_body_temp_path $DIR/body;
			proxy_temp_path $DIR/proxy;
			fastcgi_temp_path $DIR/fastcgi;
			uwsgi_temp_path $DIR/uwsgi;
			scgi_temp_path $DIR/scgi;
			include $DIR/exporter.conf;
		}
	END
	sed "s,/etc/sockwarden/,$DIR/,; s,http://127.0.0.1:10798,http://$AT," share/nginx/sockwarden-exporter.conf >"$DIR/exporter.conf"
	nginx -c "$DIR/nginx.conf" 2>"$DIR/nginx.err" 3>&- &
	PROXY=$!
	until_true test -s "$DIR/nginx.pid"
}

setup_file() {
	cd "$BATS_TEST_DIRNAME/../../.." || return 1
	make_dir
	start_daemon
	start_exporter a --web.listen-address 127.0.0.1:0
	authority exporter-clients
	authority another
	authority servers
	certificate exporter servers
	certificate scraper exporter-clients
	certificate stranger another
	echo "prometheus:$(openssl passwd -6 secret)" >"$DIR/exporter.htpasswd"
	start_proxy
	export DIR DAEMON EXPORTER PROXY AT
}

teardown_file() {
	kill "$PROXY" "$EXPORTER" "$DAEMON"
	wait "$PROXY" "$EXPORTER"
	rm -rf "$DIR"
}

setup() {
	cd "$BATS_TEST_DIRNAME/../../.." || return 1
	URL=https://127.0.0.1:10799/metrics
	CLIENT=(--cacert "$DIR/servers.crt" --cert "$DIR/scraper.crt" --key "$DIR/scraper.key")
}

@test "who has a certificate and the password gets what the exporter says" {
	get "${CLIENT[@]}" -u prometheus:secret "$URL" | grep -v '^sockwarden_exporter\|scrape' >"$BATS_TEST_TMPDIR/through"
	get "http://$AT/metrics" | grep -v '^sockwarden_exporter\|scrape' >"$BATS_TEST_TMPDIR/direct"
	grep -q '^sockwarden_up 1$' "$BATS_TEST_TMPDIR/through"
	cmp "$BATS_TEST_TMPDIR/through" "$BATS_TEST_TMPDIR/direct"
}

@test "nobody else gets anything" {
	[ "$(status "${CLIENT[@]}" "$URL")" = 401 ]
	[ "$(status "${CLIENT[@]}" -u prometheus:wrong "$URL")" = 401 ]
	[ "$(status "${CLIENT[@]}" -u prometheus:secret -X POST -d x "$URL")" = 403 ]
	[ "$(status "${CLIENT[@]}" -u prometheus:secret "${URL%metrics}-/healthy")" = 404 ]
	[ "$(status --cacert "$DIR/servers.crt" -u prometheus:secret "$URL")" = 400 ]
	[ "$(status --cacert "$DIR/servers.crt" --cert "$DIR/stranger.crt" --key "$DIR/stranger.key" -u prometheus:secret "$URL")" = 400 ]
	[ "$(status -u prometheus:secret "${URL/https/http}")" = 400 ]
	run ! get --cacert "$DIR/another.crt" --cert "$DIR/scraper.crt" --key "$DIR/scraper.key" "$URL"
	run ! get "${CLIENT[@]}" --tls-max 1.1 -u prometheus:secret "$URL"
}

@test "who does not finish a handshake is let go, and keeps nobody out" {
	local fd first
	for ((i = 0; i < 20; i++)); do
		exec {fd}<>/dev/tcp/127.0.0.1/10799
		first=${first:-$fd}
	done
	[ "$(status "${CLIENT[@]}" -u prometheus:secret "$URL")" = 200 ]
	timeout 60 cat <&"$first" >/dev/null # until its end: nginx closes it
	for ((; first <= fd; first++)); do
		exec {first}>&-
	done
}

@test "a Prometheus server scrapes it" {
	local prometheus
	cat >"$DIR/prometheus.yml" <<-END
		global: {scrape_interval: 1s}
		scrape_configs:
		  - job_name: sockwarden
		    scheme: https
		    basic_auth: {username: prometheus, password: secret}
		    tls_config: {ca_file: $DIR/servers.crt, cert_file: $DIR/scraper.crt, key_file: $DIR/scraper.key}
		    static_configs: [targets: ['127.0.0.1:10799']]
	END
	prometheus --config.file="$DIR/prometheus.yml" --storage.tsdb.path="$DIR/tsdb" \
		--web.listen-address=127.0.0.1:9091 --log.level=warn >"$DIR/prometheus.log" 2>&1 3>&- &
	prometheus=$!
	scraped() {
		[ "$(get http://127.0.0.1:9091/api/v1/query --data-urlencode 'query=sockwarden_up' | jq -r '.data.result[0].value[1]')" = 1 ]
	}
	until_true scraped
	end $prometheus
}
