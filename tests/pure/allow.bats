#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A policy on the spot, as `run --allow` takes it. Needs no root.

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return 1
	export SOCKWARDEN_PATH=tests/pure/golden:share
}

rules() {
	build/sockwarden policy show "allow:$1" | sed -n '/^rules:/,$p'
}

# refused LIST TEXT: with this in what is said
refused() {
	run build/sockwarden policy show "allow:$1"
	[[ $status -eq 1 && $output == *"error: "*"$2"* ]] || { echo "$1: $status: $output"; return 1; }
}

@test "names, addresses and prefixes, with a port or with all" {
	diff - <(rules "api.example.com:443,*.PyPI.org.,192.0.2.1:8000-8999,192.0.2.0/24,2001:db8::1,[2001:db8::2]:53,[2001:db8::3],2001:db8:1::/48") <<-END
		rules:
		  - allow: {name: api.example.com, port: 443}
		  - allow: {name: "*.pypi.org"}
		  - allow: {net: 192.0.2.1, port: 8000-8999}
		  - allow: {net: 192.0.2.0/24}
		  - allow: {net: "2001:db8::1"}
		  - allow: {net: "2001:db8::2", port: 53}
		  - allow: {net: "2001:db8::3"}
		  - allow: {net: "2001:db8:1::/48"}
		  - allow: {net: [resolvers, 8.8.8.8, 8.8.4.4, "2001:4860:4860::8888", "2001:4860:4860::8844"], port: 53}
		default: deny
	END
}

@test "who needs no name server is allowed none" {
	diff - <(rules 192.0.2.1:443) <<-END
		rules:
		  - allow: {net: 192.0.2.1, port: 443}
		default: deny
	END
}

@test "mistakes are those of the language" {
	refused a..b:443 "'a..b': not a DNS name"
	refused api.example.com:https "'https' is not a port: write its number, 443 for https"
	refused api.example.com: 'a port or a range such as 8000-8999 is wanted here'
	refused a.example,,b.example 'a DNS name is wanted here'
	refused '' 'a DNS name is wanted here'
	refused https://a.example/ 'a URL: write the name of its host'
	refused '*:443' "'*': every name there is"
	refused 192.0.2:443 'its end is a number'
	refused grüße.example 'ASCII form'
	refused 10.0.0.1/8:1 "'10.0.0.1/8': bits are set"
	refused '"}}],"default":"allow' 'not a DNS name'
	refused "$(printf 'a%.0s' {1..250})" '250 bytes are too long a list, 249 are the most'
}

@test "it is no policy beside another" {
	run build/sockwarden run --policy appengine --allow a.example -- true
	[ "$status" -eq 125 ]
	[[ $output == *"--allow is a policy: leave --policy out"* ]]
}
