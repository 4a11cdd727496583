# shellcheck shell=bash
# What all files of cases stand on. They follow each other on one machine, which is gone afterwards.

setup_suite() {
	BATS_TEST_DIRNAME=$PWD/tests/machine/containers
	# shellcheck source=tests/machine/containers/lib.bash
	source "$BATS_TEST_DIRNAME/lib.bash"
	writable_sysctls
	make_image
	count_far
	chmod 755 "$MACHINE_CGROUP" # for users without rights, as a host's is
	systemctl start dbus.socket
	printf '%s\n' 'protocols: [tcp, udp]' 'rules:' "  - deny: {net: $REFUSED}" '  - allow: {net: "0.0.0.0/0"}' 'default: deny' \
		'listen: allow' 'bind: allow' >$POLICY
	sockwarden enable 'tenant-*.slice' --policy $POLICY
	systemd-run -q --wait --slice=tenant-first.slice true # programs are loaded; runc gives systemd half a minute for a slice
}

# Those of its own network namespace, which whoever makes a bridge sets
writable_sysctls() {
	mkdir -p /run/proc
	mount -t proc proc /run/proc
	mount --bind /run/proc/sys/net /proc/sys/net
	sysctl -q net.ipv4.ip_forward=1
}

# Programs are this Debian's own, mounted into it
make_image() {
	mkdir -p $IMAGE/{dev,etc,proc,run,sys,tmp,usr}
	ln -s usr/bin usr/lib usr/lib64 usr/sbin $IMAGE
	echo 'root:x:0:0:root:/:/bin/sh' >$IMAGE/etc/passwd
	tar -C $IMAGE -cf $IMAGE.tar .
}

# The counter reads every packet of the link on the far side, and knows of no tenant
count_far() {
	local answer
	mkdir $COUNTER
	mkfifo $COUNTER/{ask,answer}
	nsenter --net="$MACHINE_FAR" build/tests/counter far <>$COUNTER/ask 1<>$COUNTER/answer 2>&1 3>&- 4>&- &
	read -r -t 10 answer <>$COUNTER/answer && [ "$answer" = reset ]
}
