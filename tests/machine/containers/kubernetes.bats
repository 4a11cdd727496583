# Pods as Kubernetes has them, without kubelet: the slice of a pod is made as kubelet makes it, and containerd is asked for the pod's
# sandbox and its container as kubelet asks.
bats_require_minimum_version 1.5.0
load lib.bash

# The image of a sandbox has one program, which waits. This machine may have no hierarchy with weights of processors, and may refuse
# to protect anybody from running out of memory
setup_file() {
	local pause=/run/pause
	export CONTAINERS_STORAGE_CONF=/run/storage-pods.conf
	printf '%s\n' '[storage]' 'driver = "vfs"' 'runroot = "/run/pods/run"' 'graphroot = "/run/pods/graph"' >$CONTAINERS_STORAGE_CONF
	podman import $IMAGE.tar debian >/dev/null
	mkdir -p $pause /etc/containerd /run/pod-logs /run/cni
	echo 'int pause(void); int main(void) { for (;;) pause(); }' | gcc -static -x c -o $pause/pause -
	tar -C $pause -c . | podman import --change 'CMD ["/pause"]' - pause >/dev/null
	cat >/run/runc-unweighted <<-'END'
		#!/bin/bash
		for ((i = 1; i < $#; i++)); do
			[ "${!i}" != --bundle ] || { next=$((i + 1)); file=${!next}/config.json; }
		done
		[ -z "${file-}" ] || { jq 'del(.linux.resources.cpu)' "$file" >"$file.new" && mv "$file.new" "$file"; } || exit 1
		exec runc "$@"
	END
	chmod +x /run/runc-unweighted
	cat >/etc/containerd/config.toml <<-'END'
		version = 2
		root = "/run/containerd-root"
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "localhost/pause:latest"
		restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
		SystemdCgroup = true
		BinaryName = "/run/runc-unweighted"
		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "/usr/lib/cni"
		conf_dir = "/run/cni"
	END
	cat >/run/cni/pods.conflist <<-'END'
		{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": true,
		 "ipam": {"type": "host-local", "dataDir": "/run/cni/addresses", "subnet": "10.85.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}]}
	END
	timeout 60 systemctl start containerd.service
	podman save debian | ctr -n k8s.io images import - >/dev/null
	podman save pause | ctr -n k8s.io images import - >/dev/null
}

teardown_file() {
	timeout 60 systemctl stop containerd.service
	rm /etc/containerd/config.toml
}

# make_slice NAME: as kubelet's systemd driver has it made
make_slice() {
	busctl -q call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StartTransientUnit \
		'ssa(sv)a(sa(sv))' "$1" replace 3 Description s 'libcontainer container' Wants as 1 "${1%-*}.slice" \
		DefaultDependencies b false 0
	until_true systemctl -q is-active "$1"
}

in_pod() { # SLICE NAME NETWORK CMD...
	timeout 120 tests/machine/containers/cri "$@"
}

# pod_policed TENANT SLICE NETWORK
pod_policed() {
	make_slice "$2"
	policed "$1" in_pod "$2" "pod-$BATS_TEST_NUMBER-$3" "$3" python3 -c "$ECHO_PY"
}

@test "each pod of no guarantee is a tenant, on the node's network and on its own" {
	local one=kubepods-besteffort-pod1f0c_11aa.slice other=kubepods-besteffort-pod2f0c_22bb.slice
	sockwarden enable 'kubepods-besteffort-*.slice' --policy $POLICY
	pod_policed $one $one node
	pod_policed $other $other pod
}

@test "pods of which some resources are guaranteed are another pattern" {
	local slice=kubepods-burstable-pod3f0c_33cc.slice
	sockwarden enable 'kubepods-burstable-*.slice' --policy $POLICY
	pod_policed $slice $slice pod
}

@test "a pod of which all resources are guaranteed is enabled by its name" {
	local slice=kubepods-pod4f0c_44dd.slice
	sockwarden enable $slice --policy $POLICY
	pod_policed $slice $slice pod
}
